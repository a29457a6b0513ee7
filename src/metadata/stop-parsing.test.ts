import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { it } from 'node:test';
import { stopParsing } from './stop-parsing.ts';

it('nothing is made of what came with a request whose connection is given up', async (t) => {
  let requests = 0;
  const server = createServer({ requireHostHeader: false }, (request, response) => {
    requests += 1;
    if (requests < 3) response.end('ok');
    else stopParsing(request.socket);
  });
  t.after(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.on('error', () => {}).resume();
  client.write('GET / HTTP/1.1\r\n\r\n'.repeat(1_000));
  await once(client, 'close');
  assert.equal(requests, 3);
});
