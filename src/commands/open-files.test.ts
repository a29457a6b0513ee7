import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { connectionsWithin, parseOpenFileLimit, readOpenFileLimit } from './open-files.ts';

const limits = (soft: string) => `Limit                     Soft Limit           Hard Limit           Units
Max processes             96364                96364                processes
Max open files            ${soft.padEnd(21)}1048576              files
Max locked memory         8388608              8388608              bytes
`;

describe('the files a process may open', () => {
  for (const [soft, expected] of [
    ['1024', 1_024],
    ['unlimited', Number.POSITIVE_INFINITY],
  ] as const)
    it(`reads ${soft}`, () => assert.equal(parseOpenFileLimit(limits(soft)), expected));

  it('are without a limit where the system does not tell', () => {
    assert.equal(readOpenFileLimit('/nowhere/limits'), Number.POSITIVE_INFINITY);
    assert.equal(parseOpenFileLimit('what is this'), Number.POSITIVE_INFINITY);
  });

  for (const [openFiles, connections] of [
    [Number.POSITIVE_INFINITY, 4_096],
    [1_048_576, 4_096],
    [4_096, 3_072],
    [1_024, 768],
    [128, 80],
    [64, 16],
    [20, 1],
  ] as const)
    it(`leave ${connections} connections of ${openFiles}`, () =>
      assert.equal(connectionsWithin(openFiles), connections));
});
