import { createSocket } from 'node:dgram';
import { type Scope, stopWith } from '../parts/scope.ts';

/** A DNS server on loopback that knows IPv4 addresses of a few names. */
export interface DnsServer {
  /** `127.0.0.1:PORT`. */
  readonly address: string;
  /** Name to addresses; may be changed at any time. */
  readonly names: Map<string, readonly string[]>;
}

const headerBytes = 12;
const typeA = 1;
const noSuchName = 3;

export async function startDnsServer(scope: Scope): Promise<DnsServer> {
  const names = new Map<string, readonly string[]>();
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) => {
    const { name, type, end } = readQuestion(query);
    const known = names.get(name);
    const addresses = type === typeA ? (known ?? []) : [];
    const header = Buffer.alloc(headerBytes);
    header.writeUInt16BE(query.readUInt16BE(0), 0);
    // An answer with authority, to a query that wished for recursion.
    header.writeUInt16BE(0x8580 | (known ? 0 : noSuchName), 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(addresses.length, 6);
    socket.send(
      Buffer.concat([header, query.subarray(headerBytes, end), ...addresses.map(record)]),
      port,
      address,
    );
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  stopWith(scope, () => new Promise((resolve) => socket.close(() => resolve())));
  return {
    address: `127.0.0.1:${socket.address().port}`,
    names,
  };
}

/** Labels, each with its length in front, until an empty one; then type and class. */
function readQuestion(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = headerBytes;
  for (let length = query[at++] ?? 0; length > 0; length = query[at++] ?? 0) {
    labels.push(query.toString('latin1', at, at + length).toLowerCase());
    at += length;
  }
  return { name: labels.join('.'), type: query.readUInt16BE(at), end: at + 4 };
}

/** The name of the question (a pointer to it), type A, class IN, to be kept for no time, four bytes. */
function record(address: string): Buffer {
  const head = [0xc0, headerBytes, 0, typeA, 0, 1, 0, 0, 0, 0, 0, 4];
  return Buffer.from([...head, ...address.split('.').map(Number)]);
}
