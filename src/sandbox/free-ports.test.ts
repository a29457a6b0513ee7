import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import { createSeededRandom, type Random } from '../base/random.ts';
import { findFreePorts } from './free-ports.ts';

const host = '127.0.0.1';

/** Draws these numbers, then the last one for ever. */
function scripted(...numbers: readonly number[]): Random {
  let at = 0;
  return { ...createSeededRandom(1), next: () => numbers[Math.min(at++, numbers.length - 1)] ?? 0 };
}

describe('findFreePorts', () => {
  it('finds ports that can be listened on, all different and below those of outgoing connections', async () => {
    const ports = await findFreePorts(20, host, createSeededRandom(7));
    assert.equal(new Set(ports).size, 20);
    for (const port of ports) {
      assert.ok(port >= 15_000 && port < 32_000, String(port));
      const server = createServer().listen(port, host);
      await once(server, 'listening');
      server.close();
    }
  });

  it('passes over a port that somebody listens on, and one that it has found already', async () => {
    const [taken = 0] = await findFreePorts(1, host, createSeededRandom(8));
    const server = createServer().listen(taken, host);
    await once(server, 'listening');
    const draw = (taken - 15_000 + 0.5) / 17_000;
    const ports = await findFreePorts(2, host, scripted(draw, 0.25, 0.25, draw, 0.75));
    server.close();
    assert.equal(ports.includes(taken), false);
    assert.deepEqual(ports, [19_250, 27_750]);
  });

  it('gives up after a while', async () => {
    await assert.rejects(findFreePorts(2, host, scripted(0.5)), {
      code: 'ERR_SANDBOX',
      message: /^no 2 ports of 127\.0\.0\.1 from 15000 to 32000 are free/,
    });
  });
});
