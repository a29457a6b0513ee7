import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { createFakeClock } from '../base/fake-clock.ts';
import { installOnce, isInstalled } from './install-once.ts';

const root = mkdtempSync(join(tmpdir(), 'podpass-install-'));
after(() => rmSync(root, { recursive: true, force: true }));
const signal = new AbortController().signal;
const clock = createFakeClock();

/** Moves time on until `holds`: the files are real ones, so how many turns that takes is not known. */
async function advanceUntil(holds: () => boolean): Promise<void> {
  while (!holds()) await clock.advance(200);
}

describe('installOnce', () => {
  it('fills a folder whose parents do not exist, and says that it did', async () => {
    const dir = join(root, 'a', 'b', 'thing');
    const install = async (into: string) => writeFileSync(join(into, 'file'), 'content');
    assert.equal(await installOnce({ dir, clock, signal, install }), true);
    assert.equal(readFileSync(join(dir, 'file'), 'utf8'), 'content');
    assert.equal(isInstalled(dir), true);
  });

  it('does not install a second time', async () => {
    const dir = join(root, 'twice');
    let calls = 0;
    const install = async () => {
      calls += 1;
    };
    assert.equal(await installOnce({ dir, clock, signal, install }), true);
    assert.equal(await installOnce({ dir, clock, signal, install }), false);
    assert.equal(calls, 1);
  });

  it('takes a failed installation for none, and clears it away before the next', async () => {
    const dir = join(root, 'failed');
    const failing = async (into: string) => {
      writeFileSync(join(into, 'half'), '');
      throw new Error('no space');
    };
    await assert.rejects(installOnce({ dir, clock, signal, install: failing }), /no space/);
    assert.equal(isInstalled(dir), false);

    let found: string[] = [];
    const install = async (into: string) => {
      found = readdirSync(into);
    };
    assert.equal(await installOnce({ dir, clock, signal, install }), true);
    assert.deepEqual(found, [], 'the second installation starts with an empty folder');
  });

  it('lets one of two callers install and the other wait for it', async () => {
    const dir = join(root, 'race');
    const gate = Promise.withResolvers<void>();
    let calls = 0;
    const install = async () => {
      calls += 1;
      await gate.promise;
    };
    const first = installOnce({ dir, clock, signal, install });
    await advanceUntil(() => calls === 1);
    let ended = false;
    const second = installOnce({ dir, clock, signal, install }).finally(() => {
      ended = true;
    });
    await advanceUntil(() => clock.pending === 1);
    assert.equal(ended, false, 'the second caller waits while the first installs');
    gate.resolve();
    assert.equal(await first, true);
    await advanceUntil(() => ended);
    assert.equal(await second, false);
    assert.equal(calls, 1);
  });

  it('ends the wait for another installer when the signal aborts', async () => {
    const dir = join(root, 'aborted');
    const gate = Promise.withResolvers<void>();
    let started = false;
    const slow = () => {
      started = true;
      return gate.promise;
    };
    const first = installOnce({ dir, clock, signal, install: slow });
    await advanceUntil(() => started);
    const controller = new AbortController();
    const install = () => assert.fail('must not install');
    const second = installOnce({ dir, clock, signal: controller.signal, install });
    await advanceUntil(() => clock.pending === 1);
    controller.abort(new Error('enough'));
    await assert.rejects(second, /enough/);
    gate.resolve();
    await first;
    assert.equal(clock.pending, 0);
  });

  it('does not take an installation for finished that was aborted in its last moment', async () => {
    const dir = join(root, 'late');
    const controller = new AbortController();
    const install = async () => controller.abort(new Error('stopped'));
    await assert.rejects(installOnce({ dir, clock, signal: controller.signal, install }), /stopped/);
    assert.equal(isInstalled(dir), false);
  });

  it('goes on after a process that was killed with the lock in its hands', async () => {
    const dir = join(root, 'killed');
    const holder = spawn(process.execPath, [
      '-e',
      `const { DatabaseSync } = require('node:sqlite');
       const held = new DatabaseSync(${JSON.stringify(`${dir}.lock`)});
       held.exec('BEGIN EXCLUSIVE');
       console.log('locked');
       setInterval(() => held, 60_000);`,
    ]);
    await once(holder.stdout, 'data');
    let installed = false;
    const waiting = installOnce({
      dir,
      clock,
      signal,
      install: async () => {
        installed = true;
      },
    });
    await advanceUntil(() => clock.pending === 1);
    assert.equal(installed, false, 'another process holds the lock');
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    await advanceUntil(() => installed);
    assert.equal(await waiting, true);
    assert.ok(existsSync(dir));
  });
});
