import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { parseAnswer, startClient } from './client-process.ts';

const env = { PATH: process.env.PATH ?? '' };
const hello = `echo '{"sdk":"fake 1.0"}'`;

async function start(t: TestContext, script: string, callBound = 10_000) {
  const client = await startClient({ command: ['sh', '-c', script], env, callBound });
  t.after(client.stop);
  return client;
}

describe('a client', () => {
  it('says what it is, and answers each line', async (t) => {
    const client = await start(t, `${hello}; while read -r how; do echo '{"arn":"'$how'"}'; done`);
    assert.equal(client.sdk, 'fake 1.0');
    assert.deepEqual(await client.call(), { kind: 'identity', arn: 'call' });
    assert.deepEqual(await client.call('new'), { kind: 'identity', arn: 'new' });
  });

  it('sees the variables it is given and no others', async (t) => {
    process.env.PODPASS_OTHER_VARIABLE = 'other';
    t.after(() => delete process.env.PODPASS_OTHER_VARIABLE);
    const client = await start(t, `${hello}; read -r how; echo '{"arn":"'$PODPASS_OTHER_VARIABLE'"}'`);
    assert.deepEqual(await client.call(), { kind: 'identity', arn: '' });
  });

  it('hangs when it does not answer within the bound', async (t) => {
    const client = await start(t, `${hello}; sleep 60`, 50);
    assert.deepEqual(await client.call(), { kind: 'hangs' });
  });

  it('is broken when it ends, and its last words are kept', async (t) => {
    const client = await start(t, `${hello}; read -r how; echo 'it was the wind' >&2; exit 4`);
    for (let i = 0; i < 2; i += 1) {
      const answer = await client.call();
      assert.equal(answer.kind, 'broken');
      assert.match(answer.kind === 'broken' ? answer.message : '', /status 4\. it was the wind/);
    }
  });

  it('is broken when it writes what is no answer', async (t) => {
    const client = await start(t, `${hello}; read -r how; echo warning; sleep 60`);
    assert.deepEqual(await client.call(), { kind: 'broken', message: 'it wrote warning.' });
  });

  it('ends with all that it started', async () => {
    const script = `${hello}; sleep 61.7 & read -r how; echo '{"arn":"'$!'"}'; wait`;
    const client = await startClient({ command: ['sh', '-c', script], env, callBound: 10_000 });
    const answer = await client.call();
    const pid = Number(answer.kind === 'identity' ? answer.arn : 0);
    assert.ok(pid > 1 && isAlive(pid));
    await client.stop();
    const deadline = performance.now() + 5_000;
    while (isAlive(pid) && performance.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(isAlive(pid), false);
  });

  it('that says something else is refused with its words', async () => {
    const start = startClient({ command: ['sh', '-c', 'echo hello; sleep 60'], env, callBound: 1_000 });
    await assert.rejects(start, /did not say what it is: hello/);
  });

  it('that cannot be started is refused', async () => {
    await assert.rejects(
      startClient({ command: ['/no/such/client'], env, callBound: 1_000 }),
      /\/no\/such\/client/,
    );
  });
});

describe('an answer', () => {
  it('names an identity or an error', () => {
    assert.deepEqual(parseAnswer('{"arn":"a"}'), { kind: 'identity', arn: 'a' });
    assert.deepEqual(parseAnswer('{"code":"c","message":"m"}'), { kind: 'error', code: 'c', message: 'm' });
    assert.deepEqual(parseAnswer('{"code":"c"}'), { kind: 'error', code: 'c', message: '' });
  });

  it('is not any other line', () => {
    for (const line of ['', 'null', '[]', '{}', '{"arn":1}', '{"message":"m"}', 'x'])
      assert.equal(parseAnswer(line), undefined, line);
  });
});

/** A process that has ended and that nobody has waited for yet is not alive. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
