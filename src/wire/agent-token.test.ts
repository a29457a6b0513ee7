import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { credentials } from '@grpc/grpc-js';
import { PodpassError } from '../base/errors.ts';
import { createFakeClock } from '../base/fake-clock.ts';
import { createLogger } from '../telemetry/logger.ts';
import { loadAgentToken } from './agent-token.ts';
import { readBearer } from './bearer-token.ts';
import { callMetadata } from './channel.ts';
import { until } from './testing/harness.ts';
import { makeToken } from './testing/make-token.ts';

describe("the agent's token", () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'podpass-token-'));
    path = join(folder, 'token');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  function load(isRequired = true) {
    const clock = createFakeClock();
    const lines: string[] = [];
    const logger = createLogger({ level: 'debug', json: true, clock, write: (line) => lines.push(line) });
    return { clock, lines, loading: loadAgentToken({ path, isRequired, clock, logger }) };
  }

  it('is read again when kubelet has written another, and never logged', async () => {
    const [first, second] = [makeToken({ n: 1 }), makeToken({ n: 2 })];
    await writeFile(path, `${first}\n`);
    const { clock, lines, loading } = load();
    const token = await loading;
    const stopping = new AbortController();
    const running = token.run(stopping.signal);
    assert.equal(token.current(), first);
    await writeFile(path, second);
    assert.equal(token.current(), first);
    await until('it is read again', () => token.current() === second, clock, 60_000);
    await rm(path);
    await until(
      'that is said',
      () => lines.some((line) => line.includes('cannot be read again')),
      clock,
      60_000,
    );
    await until('it is read some more', () => clock.pending === 1, clock, 60_000);
    assert.equal(lines.filter((line) => line.includes('cannot be read again')).length, 1);
    assert.equal(token.current(), second);
    stopping.abort();
    await running;
    assert.equal(clock.pending, 0);
    for (const secret of [first, second]) assert.ok(!lines.join().includes(secret));
  });

  it('is not shown once it has ended', async () => {
    const clock = createFakeClock();
    await writeFile(path, makeToken({ exp: clock.now() / 1_000 + 60 }));
    const { clock: now, loading } = load();
    const token = await loading;
    assert.ok(token.current());
    await now.advance(60_000);
    assert.equal(token.current(), undefined);
  });

  it('is none where nobody asked for one and none is there', async () => {
    const { loading } = load(false);
    const token = await loading;
    assert.equal(token.current(), undefined);
    await token.run(new AbortController().signal);
  });

  it('is an error where it was asked for and is not there, and where what is there is no token', async () => {
    const isFileError = (error: unknown) =>
      error instanceof PodpassError && error.code === 'ERR_FILE' && error.message.includes('--token-file');
    await assert.rejects(load().loading, isFileError);
    for (const text of ['', 'two words', 'x'.repeat(20_000), 'caf\u00e9']) {
      await writeFile(path, text);
      await assert.rejects(load(false).loading, isFileError, JSON.stringify(text.slice(0, 20)));
    }
  });

  it('goes with a call over TLS, and with no other', () => {
    const token = { current: () => 'a.b.c' };
    const secure = callMetadata({ credentials: credentials.createSsl(), token });
    assert.deepEqual(readBearer(secure), { kind: 'token', token: 'a.b.c' });
    assert.deepEqual(readBearer(callMetadata({ credentials: 'insecure', token })), { kind: 'none' });
    assert.deepEqual(readBearer(callMetadata({ credentials: credentials.createSsl() })), { kind: 'none' });
  });
});
