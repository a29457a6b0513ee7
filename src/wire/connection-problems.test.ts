import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock } from '../base/fake-clock.ts';
import { createLogger } from '../telemetry/logger.ts';
import { createConnectionProblems } from './connection-problems.ts';
import type { ExplainConnection } from './explain-connection.ts';

const server = { host: 'kiam-server', ip: '10.0.0.9', port: 443 };
const never = new AbortController().signal;

function start(explain?: ExplainConnection) {
  const clock = createFakeClock();
  const lines: { level: string; msg: string }[] = [];
  const logger = createLogger({
    level: 'info',
    json: true,
    clock,
    write: (line) => lines.push(JSON.parse(line)),
  });
  const problems = createConnectionProblems({ clock, logger, explain });
  const found: string[] = [];
  async function fail(details = 'the library says no', signal = never): Promise<void> {
    problems.failed(server, details, signal, (problem) => found.push(problem));
    await clock.advance(0);
  }
  return { clock, lines, problems, found, fail };
}

describe('why a server cannot be reached', () => {
  it('is said once, until a server was there in between', async () => {
    const { lines, problems, found, fail } = start();
    await fail();
    await fail();
    assert.deepEqual(
      lines.map(({ msg }) => msg),
      ['cannot reach a server: kiam-server (10.0.0.9:443): the library says no'],
    );
    assert.equal(found.length, 2);
    problems.forget();
    await fail();
    assert.equal(lines.length, 2);
  });

  it('is looked for once in a while, and in the words of whoever looked', async () => {
    let looks = 0;
    const { clock, lines, fail } = start(async () => {
      looks += 1;
      return 'its certificate has expired';
    });
    for (let i = 0; i < 10; i += 1) await fail();
    assert.equal(looks, 1);
    await clock.advance(30_000);
    await fail();
    assert.equal(looks, 2);
    assert.equal(lines.length, 1);
    assert.match(lines[0]?.msg ?? '', /: its certificate has expired$/);
  });

  it("is in the library's words where nothing is found", async () => {
    const { lines, fail } = start(async () => undefined);
    await fail();
    assert.match(lines[0]?.msg ?? '', /: the library says no$/);
  });

  it('is not said to a process that is ending', async () => {
    const stopping = new AbortController();
    const { lines, found, fail } = start(async () => {
      stopping.abort();
      throw stopping.signal.reason;
    });
    await fail('x', stopping.signal);
    assert.deepEqual([lines.length, found.length], [0, 0]);
  });

  it('is not remembered for ever when it never repeats', async () => {
    const { lines, fail } = start();
    for (let i = 0; i < 150; i += 1) await fail(`at ${i}`);
    await fail('at 149');
    assert.equal(lines.length, 150);
  });
});
