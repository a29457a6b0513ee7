import type { OutgoingHttpHeaders } from 'node:http2';
import { status } from '@grpc/grpc-js';
import * as kiam from '../../../src/wire/gen/kiam.ts';
import * as podpass from '../../../src/wire/gen/podpass.ts';
import { type FuzzTarget, holds } from '../fuzz-target.ts';
import { podAddress, secret, startFuzzGrpcServer } from '../lib/fuzz-grpc-server.ts';
import { callRaw, framed, openSession } from '../lib/grpc-client.ts';

const seed = (head: string, body: Uint8Array) => Buffer.concat([Buffer.from(`${head}\n\n`), body]);
const find = podpass.FindPodRequest.encode({
  node: { nodeName: 'node-1', hostIp: '' },
  address: podAddress,
  waitMillis: 0,
}).finish();
const watch = podpass.WatchNodeRequest.encode({
  node: { nodeName: '', hostIp: '10.1.0.1' },
  inTouch: true,
  seen: { pods: '7', namespaces: '5' },
}).finish();
const credentials = kiam.GetPodCredentialsRequest.encode({ ip: podAddress, role: 'reader' }).finish();

/** A path and headers, a line each; an empty line; the message. With a header `raw` it is the whole body, frame and all. */
export const target: FuzzTarget = {
  name: 'grpc-call',
  about:
    'calls to a real server: paths, metadata, deadlines and messages; each ends with a status, and others are served',
  maxBytes: 1_500,
  seeds: [
    seed('/podpass.v1.Broker/FindPod', find),
    seed('/podpass.v1.Broker/WatchNode\ngrpc-timeout: 50m', watch),
    seed('/kiam.KiamService/GetPodCredentials\nauthorization: Bearer x', credentials),
    seed(
      '/kiam.KiamService/GetPodRole\ngrpc-timeout: 1S',
      kiam.GetPodRoleRequest.encode({ ip: '10.0.0.9' }).finish(),
    ),
    seed('/kiam.KiamService/GetHealth\nx-bin: AAAA', new Uint8Array()),
    seed('/podpass.v1.Broker/FindPod\nraw: 1\ngrpc-encoding: gzip', framed(find, 1)),
    seed('/podpass.v1.Broker/FindPod\nraw: 1', Buffer.concat([framed(find), framed(find)])),
    seed('/__proto__/constructor\ncontent-type: application/grpc+json\ngrpc-accept-encoding: identity', find),
  ],
  dictionary: [
    '/podpass.v1.Broker/',
    '/kiam.KiamService/',
    'grpc-timeout: ',
    'grpc-encoding: ',
    '99999999H',
    '0n',
    'raw: 1\n',
    '-bin: ',
    ':authority: ',
    'content-type: ',
  ],
  async open() {
    const server = await startFuzzGrpcServer();
    let session = openSession(server.port);
    return {
      async run(input) {
        const { headers, body } = readCall(input);
        if (session.destroyed || session.closed) session = openSession(server.port);
        const outcome = await callRaw(session, headers, body, 100);
        const { status: code, message } = outcome;
        if (typeof code === 'number') holds(code in status, `status ${code}`);
        const isOurs = String(headers[':path']).startsWith('/podpass.');
        holds(!isOurs || code !== status.UNKNOWN, `something was thrown: ${message}`);
        holds(
          message.length <= 12_000 && !/\bat .*\.ts/.test(message),
          `the message is ${message.slice(0, 300)}`,
        );
        // Whoever is not told the address does not get what is at it.
        const asked =
          Buffer.from(body).includes(podAddress) || /WatchNode|gzip|deflate/i.test(JSON.stringify(headers));
        holds(asked || !outcome.body.includes(secret), 'credentials that were not asked for');
        await server.checkOther();
      },
      close() {
        session.destroy();
        server.close();
      },
    };
  },
};

function readCall(input: Uint8Array): { headers: OutgoingHttpHeaders; body: Uint8Array } {
  const bytes = Buffer.from(input);
  const end = bytes.indexOf('\n\n');
  const head = bytes.toString('latin1', 0, end < 0 ? bytes.length : end);
  const rest = end < 0 ? Buffer.alloc(0) : bytes.subarray(end + 2);
  const [path = '', ...lines] = head.split('\n');
  const headers: OutgoingHttpHeaders = { ':path': path };
  let raw = false;
  for (const line of lines) {
    const colon = line.indexOf(':', 1);
    const name = line.slice(0, colon).trim().toLowerCase();
    if (colon < 1) continue;
    if (name === 'raw') raw = true;
    else headers[name] = line.slice(colon + 1).trim();
  }
  return { headers, body: raw ? rest : framed(rest) };
}
