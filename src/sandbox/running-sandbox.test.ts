import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import {
  readRunningSandbox,
  removeRunningSandbox,
  sandboxFolder,
  writeRunningSandbox,
} from './running-sandbox.ts';

describe('the word of a running sandbox', () => {
  let root: string;
  let folder: string;
  const sandbox = {
    pid: process.pid,
    stsUrl: 'http://127.0.0.1:1',
    region: 'eu-west-1',
    doors: {
      'default/web': {
        split: { v1: 'http://127.0.0.1:2', v2: 'http://127.0.0.1:3' },
        standalone: { v1: 'http://127.0.0.1:4', v2: 'http://127.0.0.1:5' },
      },
    },
  };

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'podpass-test-'));
    folder = sandboxFolder(root, 1000);
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  it('is read back as it was written, by its owner alone', async () => {
    await writeRunningSandbox(folder, sandbox);
    assert.deepEqual(await readRunningSandbox(folder), sandbox);
    assert.equal((await stat(folder)).mode & 0o777, 0o700);
    assert.equal((await stat(join(folder, 'running.json'))).mode & 0o777, 0o600);
  });

  it('counts for nothing where there is none, or its process is dead, or it cannot be read', async () => {
    assert.equal(await readRunningSandbox(folder), undefined);
    await writeRunningSandbox(folder, { ...sandbox, pid: 2 ** 22 + 1 });
    assert.equal(await readRunningSandbox(folder), undefined);
    const ofAnOlderPodpass = JSON.stringify({ ...sandbox, doors: { 'default/web': { v1: 'x', v2: 'y' } } });
    for (const text of ['', '{', '[]', '{"pid":"x"}', 'null', ofAnOlderPodpass]) {
      await writeFile(join(folder, 'running.json'), text);
      assert.equal(await readRunningSandbox(folder), undefined, text);
    }
  });

  it('is taken back by the sandbox that gave it, not by an older one', async () => {
    await writeRunningSandbox(folder, sandbox);
    await removeRunningSandbox(folder, process.pid + 1);
    assert.deepEqual(await readRunningSandbox(folder), sandbox);
    await removeRunningSandbox(folder, process.pid);
    assert.equal(await readRunningSandbox(folder), undefined);
  });

  it('is not believed from a folder that others can write', async () => {
    await writeRunningSandbox(folder, sandbox);
    await chmod(folder, 0o777);
    await assert.rejects(readRunningSandbox(folder), { code: 'ERR_SANDBOX', message: /others can write/ });
  });
});
