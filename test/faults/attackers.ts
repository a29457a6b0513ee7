// Pods that take what they can get: every connection, and what KIND says on each. Who is closed comes back.
//
//     node test/faults/attackers.ts PORT KIND CONNECTIONS ADDRESS ...

import { connect, type Socket } from 'node:net';

const host = 'Host: 169.254.169.254\r\n';

const speak: Readonly<Record<string, (socket: Socket) => void>> = {
  silent: () => {},
  'endless-headers': (socket) => {
    socket.write(`GET /latest/meta-data/ HTTP/1.1\r\n${host}X: ${'x'.repeat(8_000)}`);
  },
  bulk: (socket) => {
    socket.write('GET / HTTP/1.1\r\n\r\n'.repeat(3_600));
  },
  'missing-bodies': (socket) => {
    socket.write(`PUT /latest/api/token HTTP/1.1\r\n${host}Content-Length: 4096\r\n\r\n`);
  },
};

const [port, kind = '', connections, ...addresses] = process.argv.slice(2);
const say = speak[kind];
if (say === undefined) throw new Error(`there is no attack "${kind}"`);

function attack(localAddress: string): void {
  const socket = connect({ host: '127.0.0.1', port: Number(port), localAddress });
  socket.on('error', () => {});
  socket.once('connect', () => say?.(socket));
  // Else a connection that is ended in order never seems to end here, and nothing keeps this process going.
  socket.resume();
  socket.once('close', () => setTimeout(attack, 3_000, localAddress));
}

for (const address of addresses) for (let i = 0; i < Number(connections); i += 1) attack(address);
