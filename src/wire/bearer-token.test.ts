import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Metadata } from '@grpc/grpc-js';
import { readBearer, setBearer } from './bearer-token.ts';

function withValues(...values: string[]): Metadata {
  const metadata = new Metadata();
  for (const value of values) metadata.add('authorization', value);
  return metadata;
}

describe('the bearer token of a call', () => {
  it('is what the other side set', () => {
    const metadata = new Metadata();
    setBearer(metadata, 'abc.def.ghi');
    assert.deepEqual(readBearer(metadata), { kind: 'token', token: 'abc.def.ghi' });
  });

  const cases: [string[], ReturnType<typeof readBearer>][] = [
    [[], { kind: 'none' }],
    [['bearer abc'], { kind: 'token', token: 'abc' }],
    [['Bearer '], { kind: 'malformed' }],
    [['Basic abc'], { kind: 'malformed' }],
    [['abc'], { kind: 'malformed' }],
    [['Bearer abc', 'Bearer def'], { kind: 'malformed' }],
  ];
  for (const [values, expected] of cases) {
    it(`reads ${JSON.stringify(values)} as ${expected.kind}`, () => {
      assert.deepEqual(readBearer(withValues(...values)), expected);
    });
  }
});
