import { readFileSync } from 'node:fs';
import { credentials as channelCredentials } from '@grpc/grpc-js';
import { KiamServiceClient, KiamServiceService } from '../../src/wire/gen/kiam.ts';
import type { TlsFiles } from '../cloud/protocol.ts';
import { roundsOf } from '../lib/compare-door.ts';
import { measured } from '../lib/measurement.ts';
import { startNodeOfPods } from '../lib/node-of-pods.ts';
import { besideText, pairedRounds, ratioOf } from '../lib/paired-rounds.ts';
import { nodeFlags } from '../lib/podpass.ts';
import { startProgram } from '../lib/program.ts';
import { pick, type Row } from '../lib/row.ts';
import { takeFlame } from '../lib/take-flame.ts';
import type { BareGrpcInput } from '../programs/bare-grpc.ts';
import type { RpcLoadInput, RpcLoadResult } from '../programs/rpc-load.ts';

const inFlight = 64;
const { path, requestSerialize, responseSerialize } = KiamServiceService.getPodCredentials;

/** kiam's GetPodCredentials of a real server against a bare grpc-js server, in turn, as a kiam agent would call it. */
export const kiamRpc: Row = {
  name: 'kiam-rpc',
  title: "kiam's GetPodCredentials at the server, mutual TLS",
  hasFlame: true,
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

    async function load(to: number, seconds: number) {
      const input: RpcLoadInput = {
        tls: cloud.agentTls,
        port: to,
        path,
        requestBase64: request,
        responseBytes: response.length + 5,
        inFlight,
        seconds,
        leastCalls: pick(context, 500, 10_000, 50_000),
      };
      const generator = await startProgram('rpc-load', input, []);
      const result = await generator.next<RpcLoadResult>();
      await generator.stop();
      if (result.failed > 0) throw new Error(`${result.failed} calls failed`);
      return { ...result, requests: result.calls };
    }

    const seconds = pick(context, 0.5, 1.5, 5);
    const pairs = await pairedRounds({
      bare: { pid: bare.pid, load: () => load(barePort, seconds) },
      own: { pid: server.pid, load: () => load(server.grpcPort, seconds) },
      rounds: roundsOf(context),
      onPair: ({ own, bare: floor }) =>
        context.note(`server ${Math.round(own.perSecond)}/s, bare ${Math.round(floor.perSecond)}/s`),
    });
    await takeFlame(context, server, "server under kiam's GetPodCredentials", (span) =>
      load(server.grpcPort, span),
    );
    const p99s = besideText(pairs, ({ p99 }) => p99, { name: 'p99: server', unit: 'ms', digits: 2 });
    return [
      measured(
        'kiam-rpc-rate',
        ratioOf(pairs, ({ perSecond }) => perSecond),
        {
          beside: `${besideText(pairs, ({ perSecond }) => perSecond, { name: 'server', unit: 'calls/s', digits: 0 })}; ${p99s}`,
          details: pairs,
        },
      ),
      measured(
        'kiam-rpc-cpu',
        ratioOf(pairs, ({ cpuMicros }) => cpuMicros),
        {
          beside: besideText(pairs, ({ cpuMicros }) => cpuMicros, { name: 'server', unit: 'µs', digits: 1 }),
        },
      ),
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
