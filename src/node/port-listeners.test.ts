import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import { countPortListeners } from './port-listeners.ts';

const head =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const row = (local: string, state: string) =>
  `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 4711 1\n`;

describe('countPortListeners', () => {
  it('counts the sockets of both families that listen on the port, and no connection', async () => {
    const texts: Readonly<Record<string, string>> = {
      '/proc/net/tcp':
        head + row('00000000:1FF5', '0A') + row('0100007F:1FF5', '01') + row('0100007F:1FF6', '0A'),
      '/proc/net/tcp6': head + row(`${'0'.repeat(32)}:1FF5`, '0A').repeat(2),
    };
    assert.equal(await countPortListeners(8181, async (path) => texts[path] ?? ''), 3);
    assert.equal(await countPortListeners(80, async (path) => texts[path] ?? ''), 0);
  });

  it('is 0 where there is no such table', async () => {
    const missing = () => Promise.reject(new Error('ENOENT'));
    assert.equal(await countPortListeners(8181, missing), 0);
  });

  it("finds this machine's own", { skip: process.platform !== 'linux' && 'Linux only' }, async (t) => {
    const servers = [createServer(), createServer()];
    t.after(() => {
      for (const server of servers) server.close();
    });
    let port = 0;
    for (const [index, server] of servers.entries()) {
      server.listen({ port, host: '127.0.0.1', reusePort: true });
      await once(server, 'listening');
      const address = server.address();
      port = typeof address === 'object' && address ? address.port : 0;
      assert.equal(await countPortListeners(port), index + 1);
    }
  });
});
