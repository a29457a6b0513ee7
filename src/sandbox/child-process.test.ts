import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '../base/clock.ts';
import { startChild } from './child-process.ts';

describe('a process of the sandbox', () => {
  const signal = new AbortController().signal;
  let server: Server;
  let url: string;
  let isReady = true;

  before(async () => {
    server = createServer((_request, response) => response.writeHead(isReady ? 200 : 503).end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/readyz`;
  });
  after(() => server.close());

  const start = (script: string, onLine?: (line: string) => void) =>
    startChild({
      title: 'podpass test',
      command: [process.execPath, '-e', script],
      env: { GREETING: 'hello' },
      clock: systemClock,
      ...(onLine ? { onLine } : {}),
    });
  const forever = 'setInterval(() => {}, 1000);';

  it('is ready when its URL says so, and is told to end', async () => {
    isReady = true;
    const child = start(forever);
    await child.untilReady(url, 5_000, signal);
    await child.stop(5_000);
    assert.throws(() => process.kill(child.pid, 0));
    await child.stop(5_000);
  });

  it('has the environment it was given and nothing more, and its lines are told', async () => {
    const lines: string[] = [];
    const child = start('console.log(process.env.GREETING); console.error(process.env.HOME)', (line) =>
      lines.push(line),
    );
    isReady = false;
    await assert.rejects(child.untilReady(url, 5_000, signal));
    assert.deepEqual(lines.sort(), ['hello', 'undefined']);
  });

  it('fails with its last words when it ends before it is ready', async () => {
    isReady = false;
    const child = start('console.error("cannot read the key"); process.exitCode = 3');
    await assert.rejects(child.untilReady(url, 5_000, signal), {
      code: 'ERR_SANDBOX',
      message: /podpass test ended with status 3.*\n.*cannot read the key/,
    });
  });

  it('fails when it is not ready in time, and when it cannot be started', async () => {
    isReady = false;
    const child = start(forever);
    await assert.rejects(child.untilReady(url, 50, signal), /was not ready after 0\.05 s/);
    await child.stop(5_000);
    const missing = startChild({
      title: 'x',
      command: ['/nonexistent/podpass'],
      env: {},
      clock: systemClock,
    });
    await assert.rejects(missing.untilReady(url, 5_000, signal), /could not be started/);
  });

  it('is killed when it does not end by itself', async () => {
    const lines: string[] = [];
    const child = start(`process.on('SIGTERM', () => {}); console.log('up'); ${forever}`, (line) =>
      lines.push(line),
    );
    while (lines.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await child.stop(50);
    assert.throws(() => process.kill(child.pid, 0));
  });
});
