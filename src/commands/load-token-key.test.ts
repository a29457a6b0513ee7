import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { loadTokenKey } from './load-token-key.ts';

describe('loadTokenKey', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'podpass-token-key-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('is a new one each time without a file', async () => {
    assert.notDeepEqual(await loadTokenKey(undefined), await loadTokenKey(undefined));
  });

  it('is made once, for its owner alone, and the same from then on', async () => {
    const path = join(folder, 'run', 'token-key');
    const first = await loadTokenKey(path);
    assert.deepEqual(await loadTokenKey(path), first);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.deepEqual(await readdir(join(folder, 'run')), ['token-key']);
  });

  it('says what to do about a file that cannot hold a key', async () => {
    const path = join(folder, 'short');
    await writeFile(path, 'short');
    const said = { code: 'ERR_FILE', message: /--token-key-file .*it has 5 bytes of 32.*leave the flag out/ };
    await assert.rejects(loadTokenKey(path), said);
    await assert.rejects(loadTokenKey(join(path, 'below')), { code: 'ERR_FILE' });
  });
});
