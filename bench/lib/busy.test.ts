import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { busyPercent, readTicks } from './busy.ts';

const stat = (line: string) => `${line}\ncpu0 1 2 3 4 5 6 7 8 9 10\nintr 5\n`;

describe('readTicks', () => {
  it('takes the line of all cores, with waiting for disks as idle and guests not twice', () => {
    assert.deepEqual(readTicks(stat('cpu  100 20 30 800 40 5 5 7 50 3')), {
      total: 100 + 20 + 30 + 800 + 40 + 5 + 5 + 7,
      idle: 840,
      stolen: 7,
    });
  });

  it('does not make figures of something else', () => {
    assert.throws(() => readTicks(stat('cpu0 1 2 3 4 5 6 7 8')), /no line of all cores/);
    assert.throws(() => readTicks(stat('cpu  1 2')), /no line of all cores/);
  });
});

describe('busyPercent', () => {
  const at = (total: number, idle: number) => ({ total, idle, stolen: 0 });
  it('is what was not idle', () => assert.equal(busyPercent(at(1_000, 900), at(1_200, 950)), 75));
  it('is none of no time', () => assert.equal(busyPercent(at(1_000, 900), at(1_000, 900)), 0));
});
