// The floor of the metadata door: a node:http server that answers every request with the same bytes.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { keepHeapSmall } from '../../src/commands/small-heap.ts';
import { input, say } from './say.ts';

keepHeapSmall();
const { headers, body } = input<BareHttpInput>();

/** What to answer. Headers are a flat list, which is the fastest form there is: the floor is not made lower than it is. */
export interface BareHttpInput {
  readonly headers: readonly string[];
  readonly body: string;
}

const flat = [...headers];
const server = createServer({ keepAliveTimeout: 65_000 }, (_, response) => {
  response.writeHead(200, flat);
  response.end(body);
});
server.listen(0, '127.0.0.1', () => say({ port: (server.address() as AddressInfo).port }));
