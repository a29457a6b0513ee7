import { type FuzzTarget, holds } from '../fuzz-target.ts';
import { startFuzzGrpcServer } from '../lib/fuzz-grpc-server.ts';
import { exchangeRaw } from '../lib/raw-exchange.ts';

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

function frame(type: number, flags: number, stream: number, payload: Uint8Array = new Uint8Array()): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

const settings = frame(4, 0, 0);
/** HPACK, literals without an index: `:method` POST and so on. */
const literal = (name: string, value: string) =>
  Buffer.concat([
    Buffer.from([0, name.length]),
    Buffer.from(name),
    Buffer.from([value.length]),
    Buffer.from(value),
  ]);
const headers = frame(
  1,
  4,
  1,
  Buffer.concat([
    literal(':method', 'POST'),
    literal(':scheme', 'http'),
    literal(':path', '/podpass.v1.Broker/FindPod'),
    literal('content-type', 'application/grpc'),
    literal('te', 'trailers'),
  ]),
);

export const target: FuzzTarget = {
  name: 'grpc-frames',
  about: 'HTTP/2 frames, and what is none, to a real gRPC server: the connection ends, the server stays',
  maxBytes: 1_000,
  seeds: [
    Buffer.concat([settings, headers, frame(0, 1, 1, Buffer.from([0, 0, 0, 0, 0]))]),
    Buffer.concat([settings, headers, frame(3, 0, 1, Buffer.from([0, 0, 0, 8]))]),
    Buffer.concat([settings, frame(6, 0, 0, Buffer.alloc(8)), frame(7, 0, 0, Buffer.alloc(8))]),
    Buffer.concat([
      settings,
      frame(8, 0, 0, Buffer.from([127, 255, 255, 255])),
      frame(9, 4, 1),
      frame(2, 0, 3, Buffer.alloc(5)),
    ]),
    Buffer.concat([frame(4, 0, 0, Buffer.from([0, 1, 255, 255, 255, 255, 0, 3, 0, 0, 0, 0])), headers]),
  ],
  dictionary: [
    ':path',
    'grpc-timeout',
    '\0\0\x08\x06\0\0\0\0\0',
    '\0\0\0\x04\x01\0\0\0\0',
    '\xff\xff\xff',
    '\x80\0\0\0',
  ],
  async open() {
    const server = await startFuzzGrpcServer();
    return {
      async run(input) {
        // One in four without the preface.
        const bytes = (input[0] ?? 0) % 4 === 3 ? input : Buffer.concat([preface, input]);
        const { text, open } = await exchangeRaw(bytes, { port: server.port });
        holds(!text.includes('secret-of-the-pod'), 'credentials for noise');
        holds(!open, 'the connection stayed open after its end');
        await server.checkOther();
      },
      close: () => server.close(),
    };
  },
};
