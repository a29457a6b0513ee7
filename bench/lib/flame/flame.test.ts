import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { renderFlame } from './render-flame.ts';
import { type CpuProfile, type ProfileNode, treeOf } from './tree-of.ts';

const frame = (functionName: string, url = '', lineNumber = 0) => ({ functionName, url, lineNumber });
const nodes: ProfileNode[] = [
  { id: 1, callFrame: frame('(root)'), children: [2, 5, 6] },
  {
    id: 2,
    callFrame: frame('serve', 'file:///home/me/podpass/dist/chunks/agent-run-X.mjs', 9),
    children: [3, 4],
  },
  { id: 3, callFrame: frame('small<T>', 'file:///home/me/podpass/src/a.ts', 0) },
  { id: 4, callFrame: frame('large', 'node:http', 41) },
  { id: 5, callFrame: frame('(idle)') },
  { id: 6, callFrame: frame('') },
];
const profile: CpuProfile = {
  nodes,
  samples: [4, 3, 5, 4, 2],
  timeDeltas: [2_000, 1_000, 50_000, 3_000, 500],
};

describe('treeOf', () => {
  const root = treeOf(profile);

  it('sums the time of a function and of what it called, without idleness', () => {
    assert.equal(root.total, 6.5);
    const [serve] = root.children;
    assert.deepEqual(
      { total: serve?.total, self: serve?.self, place: serve?.place },
      { total: 6.5, self: 0.5, place: 'dist/chunks/agent-run-X.mjs:10' },
    );
  });

  it('has the costliest call first, and leaves out what took no time', () => {
    assert.deepEqual(
      root.children[0]?.children.map(({ name, total }) => [name, total]),
      [
        ['large', 5],
        ['small<T>', 1],
      ],
    );
    assert.equal(root.children.length, 1);
  });

  it('takes no time back where samples are not in order', () => {
    const tree = treeOf({ nodes, samples: [4, 3], timeDeltas: [5_000, -1_000] });
    assert.equal(tree.total, 5);
  });

  it('does not draw nothing', () => {
    assert.throws(() => treeOf({ nodes }), /no samples/);
    assert.throws(() => treeOf({ nodes: [], samples: [], timeDeltas: [] }), /no samples/);
  });
});

describe('renderFlame', () => {
  const svg = renderFlame(treeOf(profile), 'agent <under> load');

  it('has a box for each function, as wide as its share', () => {
    const widths = [...svg.matchAll(/data-w="([\d.]+)" data-d="(\d)" data-n="([^"]+)"/g)].map(
      ([, wide, depth, name]) => [name, Number(depth), Number(wide)],
    );
    assert.deepEqual(widths, [
      ['(root)', 0, 1_200],
      ['serve', 1, 1_200],
      ['large', 2, 923.08],
      ['small&lt;T&gt;', 2, 184.62],
    ]);
  });

  it('says of each what it took, and where it is', () =>
    assert.match(svg, /<title>large \(node:http:42\): 5\.0 ms, 76\.9 %, itself 5\.0 ms<\/title>/));

  it('stands alone, and is well-formed whatever names there are', () => {
    assert.match(svg, /agent &lt;under&gt; load: 7 ms of CPU|agent &lt;under&gt; load: 6 ms of CPU/);
    assert.doesNotMatch(svg.replace('http://www.w3.org/2000/svg', ''), /https?:\/\/|src=|href=/);
    const outside = svg.slice(0, svg.indexOf('<script>'));
    const opened = [...outside.matchAll(/<(g|text|title)\b/g)].length;
    const closed = [...outside.matchAll(/<\/(g|text|title)>/g)].length;
    assert.equal(opened, closed);
  });

  it('leaves out what is too narrow to be seen', () => {
    const narrow = treeOf({ nodes, samples: [4, 3], timeDeltas: [10_000_000, 1] });
    assert.doesNotMatch(renderFlame(narrow, 'x'), /small/);
  });
});
