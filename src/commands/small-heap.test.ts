import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const module = pathToFileURL(`${import.meta.dirname}/small-heap.ts`).href;

interface HeapSizes {
  /** MB that V8 has for young objects. */
  readonly young: number;
  /** MB of the whole heap. */
  readonly total: number;
}

/** Sizes of the heap of a process that has made garbage, some of which lived for a while. */
async function sizesAfterWork(first: string): Promise<HeapSizes> {
  const program = `
    ${first}
    import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8';
    let kept = [];
    for (let i = 0; i < 300_000; i += 1) {
      kept.push(JSON.parse('{"metadata":{"name":"a","labels":{"a":"' + i + '"}},"spec":{"list":[1,2,3]}}'));
      if (kept.length > 20_000) kept = [];
    }
    const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
    console.log(JSON.stringify({ young: young.space_size / 1e6, total: getHeapStatistics().total_heap_size / 1e6 }));
  `;
  const args = ['--input-type=module', '--eval', program];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { timeout: 60_000 });
  // V8 does not throw for a flag that it does not know: it says so here.
  assert.equal(stderr, '');
  return JSON.parse(stdout) as HeapSizes;
}

describe('keepHeapSmall', () => {
  it('keeps what V8 has for young objects from growing, and the rest smaller, on this version of Node', async () => {
    const usual = await sizesAfterWork('');
    const small = await sizesAfterWork(`import { keepHeapSmall } from '${module}'; keepHeapSmall();`);
    assert.ok(
      small.young < usual.young / 2,
      `${small.young} MB for young objects instead of ${usual.young} MB`,
    );
    assert.ok(small.total < usual.total, `${small.total} MB in all instead of ${usual.total} MB`);
  });
});
