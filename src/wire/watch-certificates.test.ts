import assert from 'node:assert/strict';
import { mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createFakeClock, type FakeClock } from '../base/fake-clock.ts';
import { createSilentLogger } from '../telemetry/logger.ts';
import type { Certificates, ReloadOutcome } from './certificates.ts';
import { createCertificateDirectory } from './testing/certificates.ts';
import { until } from './testing/harness.ts';
import { type WatchDirectory, watchCertificates } from './watch-certificates.ts';

function setUp(
  options: { watchDirectory?: WatchDirectory; files?: { cert: string; key: string; ca: string } } = {},
) {
  const clock: FakeClock = createFakeClock();
  const stopping = new AbortController();
  const state = { reloads: 0 };
  const certificates = {
    reload: async (): Promise<ReloadOutcome> => {
      state.reloads += 1;
      return { kind: 'unchanged' };
    },
  } as Certificates;
  watchCertificates({
    certificates,
    files: { cert: '/a/tls.crt', key: '/a/tls.key', ca: '/b/ca.crt' },
    clock,
    logger: createSilentLogger(),
    signal: stopping.signal,
    ...options,
  });
  return { clock, state, stop: () => stopping.abort() };
}

/** Directories whose changes a test makes up. */
function fakeDirectories() {
  const open = new Map<string, () => void>();
  const watchDirectory: WatchDirectory = (path, onChange) => {
    open.set(path, onChange);
    return { close: () => open.delete(path) };
  };
  return { open, watchDirectory };
}

describe('the watch over certificates', () => {
  it('watches each directory once', () => {
    const { open, watchDirectory } = fakeDirectories();
    setUp({ watchDirectory });
    assert.deepEqual([...open.keys()], ['/a', '/b']);
  });

  it('looks once after a burst of changes has settled', async () => {
    const { open, watchDirectory } = fakeDirectories();
    const { clock, state } = setUp({ watchDirectory });
    for (let i = 0; i < 5; i += 1) {
      open.get('/a')?.();
      open.get('/b')?.();
      await clock.advance(100);
    }
    assert.equal(state.reloads, 0);
    await clock.advance(150);
    assert.equal(state.reloads, 1);
  });

  it('looks every minute without being told', async () => {
    const { clock, state } = setUp(fakeDirectories());
    await clock.advance(180_000);
    assert.equal(state.reloads, 3);
  });

  it('looks every minute where directories cannot be watched', async () => {
    const { clock, state } = setUp({
      watchDirectory: () => {
        throw new Error('no watches left');
      },
    });
    await clock.advance(60_000);
    assert.equal(state.reloads, 1);
  });

  it('ends with its signal', async () => {
    const { open, watchDirectory } = fakeDirectories();
    const { clock, state, stop } = setUp({ watchDirectory });
    open.get('/a')?.();
    stop();
    assert.equal(open.size, 0);
    assert.equal(clock.pending, 0);
    await clock.advance(120_000);
    assert.equal(state.reloads, 0);
  });

  it("notices kubelet's swap of a symbolic link", async () => {
    const directory = await createCertificateDirectory();
    const { path } = directory;
    for (const version of ['..1', '..2']) {
      await mkdir(join(path, version));
      await writeFile(join(path, version, 'tls.crt'), version);
    }
    await symlink('..1', join(path, '..data'));
    await symlink('..data/tls.crt', join(path, 'tls.crt'));
    const { clock, state, stop } = setUp({ files: directory.files });
    assert.equal(clock.pending, 1, 'only the look of every minute is due');

    await symlink('..2', join(path, '..data_tmp'));
    await rename(join(path, '..data_tmp'), join(path, '..data'));
    await until('the change is noticed', () => clock.pending === 2);
    await until('it is looked at', () => state.reloads === 1, clock);
    stop();
    await directory.remove();
  });
});
