import { readFileSync } from 'node:fs';
import { credentials as channelCredentials } from '@grpc/grpc-js';
import { KiamServiceClient, KiamServiceService } from '../../src/wire/gen/kiam.ts';
import type { TlsFiles } from '../cloud/protocol.ts';
import { startNodeOfPods } from '../lib/node-of-pods.ts';
import { nodeFlags } from '../lib/podpass.ts';
import { cpuSecondsOf } from '../lib/process-facts.ts';
import { startProgram } from '../lib/program.ts';
import type { Row } from '../lib/row.ts';
import { median } from '../lib/statistics.ts';
import type { BareGrpcInput } from '../programs/bare-grpc.ts';
import type { RpcLoadInput, RpcLoadResult } from '../programs/rpc-load.ts';

const inFlight = 64;
const { path, requestSerialize, responseSerialize } = KiamServiceService.getPodCredentials;

interface Run extends RpcLoadResult {
  /** Of the server's CPU, for each call. */
  readonly cpuMicros: number;
}

/** kiam's GetPodCredentials of a real server against a bare grpc-js server, in turn, as a kiam agent would call it. */
export const kiamRpc: Row = {
  name: 'kiam-rpc',
  title: "kiam's GetPodCredentials at the server, mutual TLS",
  async measure(context) {
    const { cloud, server, role } = await startNodeOfPods(context);
    const request = requestSerialize({ ip: '127.0.0.1', role }).toString('base64');
    const response = await callOnce(cloud.agentTls, server.grpcPort, role);
    const bareInput: BareGrpcInput = {
      tls: cloud.serverTls,
      path,
      responseBase64: response.toString('base64'),
    };
    const bare = await startProgram('bare-grpc', bareInput, nodeFlags.server);
    context.onEnd(bare.stop);
    const { port: barePort } = await bare.next<{ port: number }>();

    async function load(pid: number, port: number): Promise<Run> {
      const input: RpcLoadInput = {
        tls: cloud.agentTls,
        port,
        path,
        requestBase64: request,
        responseBytes: response.length + 5,
        inFlight,
        seconds: context.quick ? 1 : 5,
      };
      const generator = await startProgram('rpc-load', input, []);
      const before = cpuSecondsOf(pid);
      const result = await generator.next<RpcLoadResult>();
      const cpu = cpuSecondsOf(pid) - before;
      await generator.stop();
      if (result.failed > 0) throw new Error(`${result.failed} calls failed`);
      return { ...result, cpuMicros: (cpu * 1e6) / (result.perSecond * input.seconds) };
    }

    await load(server.pid, server.grpcPort);
    await load(bare.pid, barePort);
    const rounds: { bare: Run; server: Run }[] = [];
    for (let round = 0; round < (context.quick ? 3 : 7); round += 1) {
      const first = round % 2 === 1 ? await load(server.pid, server.grpcPort) : undefined;
      const floor = await load(bare.pid, barePort);
      const run = first ?? (await load(server.pid, server.grpcPort));
      rounds.push({ bare: floor, server: run });
      context.note(`server ${Math.round(run.perSecond)}/s, bare ${Math.round(floor.perSecond)}/s`);
    }
    const ratio = (read: (run: Run) => number) =>
      median(rounds.map((round) => read(round.server) / read(round.bare)));
    const both = (read: (run: Run) => number, digits: number) => {
      const of = (who: 'bare' | 'server') => median(rounds.map((round) => read(round[who]))).toFixed(digits);
      return `server ${of('server')}, bare ${of('bare')}`;
    };
    return [
      {
        what: `kiam.KiamService/GetPodCredentials, mutual TLS, ${inFlight} in flight: calls/s`,
        value: ratio(({ perSecond }) => perSecond),
        unit: '× bare',
        budget: { atLeast: 0.85 },
        beside: `calls/s: ${both(({ perSecond }) => perSecond, 0)}; p99 in ms: ${both(({ p99 }) => p99, 2)}; CPU in µs a call: ${both(({ cpuMicros }) => cpuMicros, 1)}`,
        details: rounds,
      },
    ];
  },
};

/** The bytes of a right answer, by a client that is not of this bench's making. */
async function callOnce(tls: TlsFiles, port: number, role: string): Promise<Buffer> {
  const credentials = channelCredentials.createSsl(
    readFileSync(tls.ca),
    readFileSync(tls.key),
    readFileSync(tls.cert),
  );
  const client = new KiamServiceClient(`localhost:${port}`, credentials);
  try {
    return await new Promise<Buffer>((resolve, reject) => {
      client.getPodCredentials({ ip: '127.0.0.1', role }, (error, response) => {
        if (error) reject(error);
        else resolve(responseSerialize(response));
      });
    });
  } finally {
    client.close();
  }
}
