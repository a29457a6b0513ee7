import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runTarget } from './run-target.ts';

async function run(text: string) {
  process.env.FUZZ_FIXTURE = text;
  return runTarget({
    target: 'bad',
    module: new URL('./bad-targets.fixture.ts', import.meta.url).href,
    seed: 1,
    seconds: 10,
    mostExecutions: 50,
    distil: false,
    hangMillis: 1_500,
  });
}

describe('a target in its thread', () => {
  for (const [text, what] of [
    ['throw later', /^thrown where nobody waits: later$/],
    ['exit', /^ended the process with status 3$/],
    ['loop', /^did not come back within 1500 ms$/],
  ] as const) {
    it(`names the input that made it ${text}`, async () => {
      const { failure } = await run(text);
      assert.match(failure?.what ?? 'held', what);
      assert.equal(Buffer.from(failure?.input ?? []).toString(), text);
    });
  }

  it('holds otherwise, and counts', async () => {
    const { failure, statistics } = await run('well');
    assert.equal(failure, undefined);
    assert.ok(statistics.executions >= 50, String(statistics.executions));
  });
});
