import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { systemClock } from './clock.ts';

const execute = promisify(execFile);
setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

describe('the machine’s clock', () => {
  it('keeps nothing of timers that were cancelled, however many durations they had', () => {
    const cancelMany = (millis: number) => {
      for (let i = 0; i < 20_000; i += 1) systemClock.setTimer(millis + i, () => {}).cancel();
    };
    const held = () => {
      collect();
      return process.memoryUsage().heapUsed;
    };
    cancelMany(600_000);
    const before = held();
    cancelMany(900_000);
    // Some 200 bytes for each of the new durations, if their lists stay.
    const grown = held() - before;
    assert.ok(grown < 1_000_000, `${grown} bytes more`);
  });

  it('lets a process end whose timers are set, or cancelled after they fired', async () => {
    const script = `
      const { systemClock } = await import(${JSON.stringify(new URL('./clock.ts', import.meta.url).href)});
      const fired = systemClock.setTimer(1, () => {});
      systemClock.setTimer(600_000, () => {}).cancel();
      systemClock.setTimer(600_000, () => {});
      setTimeout(() => { fired.cancel(); fired.cancel(); console.log('at the end'); }, 50);
    `;
    const { stdout } = await execute(process.execPath, ['--input-type=module', '-e', script], {
      timeout: 20_000,
    });
    assert.equal(stdout, 'at the end\n');
  });
});
