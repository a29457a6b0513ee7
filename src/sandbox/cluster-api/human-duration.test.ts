import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { humanDuration } from './human-duration.ts';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const year = 365 * day;

describe('humanDuration', () => {
  const cases: [number, string][] = [
    [-5 * second, '<invalid>'],
    [-second, '0s'],
    [0, '0s'],
    [999, '0s'],
    [second, '1s'],
    [119 * second, '119s'],
    [2 * minute, '2m'],
    [5 * minute + 10 * second, '5m10s'],
    [10 * minute - second, '9m59s'],
    [10 * minute + 30 * second, '10m'],
    [3 * hour - second, '179m'],
    [3 * hour, '3h'],
    [7 * hour + 59 * minute, '7h59m'],
    [8 * hour + 59 * minute, '8h'],
    [47 * hour, '47h'],
    [2 * day, '2d'],
    [3 * day + 4 * hour, '3d4h'],
    [8 * day + 4 * hour, '8d'],
    [2 * year - day, '729d'],
    [2 * year, '2y'],
    [2 * year + 100 * day, '2y100d'],
    [9 * year + 100 * day, '9y'],
  ];
  for (const [millis, text] of cases) {
    it(`writes ${text} for ${millis} ms, as kubectl does`, () => assert.equal(humanDuration(millis), text));
  }
});
