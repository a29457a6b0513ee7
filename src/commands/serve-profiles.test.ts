import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock } from '../base/fake-clock.ts';
import { createLogger } from '../telemetry/logger.ts';
import { serveProfiles } from './serve-profiles.ts';

function serve(address: string) {
  const clock = createFakeClock();
  const lines: string[] = [];
  const logger = createLogger({ level: 'info', json: true, clock, write: (line) => lines.push(line) });
  return { lines, serving: serveProfiles({ address, clock, logger }) };
}

describe('--pprof-listen-addr', () => {
  for (const address of ['127.0.0.1:0', 'localhost:0']) {
    it(`serves profiles on ${address} without a warning`, async () => {
      const { lines, serving } = serve(address);
      const server = await serving;
      assert.equal((await fetch(`http://127.0.0.1:${server?.port}/debug/pprof/`)).status, 200);
      await server?.close();
      assert.deepEqual(lines.map(levelOf), ['info']);
    });
  }

  for (const address of [':0', '0.0.0.0:0', '[::]:0', '192.0.2.1:0', 'node-1.example:0']) {
    it(`serves on loopback instead of ${address}, and says so`, async () => {
      const { lines, serving } = serve(address);
      const server = await serving;
      assert.equal((await fetch(`http://127.0.0.1:${server?.port}/debug/pprof/`)).status, 200);
      await server?.close();
      assert.deepEqual(lines.map(levelOf), ['warning', 'info']);
      assert.match(
        lines[0] ?? '',
        /profiles are served on loopback only, at 127\.0\.0\.1:0; reach them with/,
      );
    });
  }

  it('does not keep a process from starting where the port is taken', async () => {
    const first = await serve('127.0.0.1:0').serving;
    const { lines, serving } = serve(`127.0.0.1:${first?.port}`);
    assert.equal(await serving, undefined);
    await first?.close();
    assert.match(lines.join(''), /no profiles: cannot listen on .*EADDRINUSE.*Everything else works\./);
  });

  it('is refused when it is no address', async () => {
    await assert.rejects(serve('6060').serving, {
      code: 'ERR_USAGE',
      message: /^--pprof-listen-addr "6060"/,
    });
  });
});

function levelOf(line: string): unknown {
  return (JSON.parse(line) as { level: unknown }).level;
}
