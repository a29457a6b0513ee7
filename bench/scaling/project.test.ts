import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Measured, type ProjectedName, project, type Scenario } from './project.ts';
import type { Series } from './series.ts';

const series = (
  fixed: Series['fixed'],
  ...points: [n: number, values: Record<string, number>][]
): Series => ({
  by: 'x',
  fixed,
  points: points.map(([n, values]) => ({ n, values })),
});

/** Each slope is another power or multiple, so that a sum shows what is in it. */
const measured: Measured = {
  // 2 kB and 4 kB resident a pod, above 50 agents of 30 kB and 200 identities of 5 kB: 20 MB and 60 MB alone.
  podsOfCluster: series(
    { agents: 50, identities: 200 },
    [0, { heapKb: 22_500, residentMb: 63.5 }],
    [1_000, { heapKb: 24_500, residentMb: 67.5, newPodCpuMs: 2, newPodPushedBytes: 1_000 }],
    [2_000, { heapKb: 26_500, residentMb: 71.5, newPodCpuMs: 4, newPodPushedBytes: 3_000 }],
  ),
  nodes: series(
    { pods: 2_000, identities: 200 },
    [0, { heapKb: 0, residentMb: 0, idlePercent: 0.5, openingCpuMs: 100, idleBytesPerSecond: 0 }],
    [100, { heapKb: 3_000, residentMb: 5, idlePercent: 0.7, openingCpuMs: 800, idleBytesPerSecond: 1_000 }],
  ),
  identities: series(
    { pods: 1_000, agents: 100 },
    // 0.7 % of 50 s is 350 ms; what is left is half a millisecond for each of 1,000 pods.
    [0, { heapKb: 0, refreshCpuMs: 850, refreshBytes: 1_000_000, windowSeconds: 50 }],
    [100, { heapKb: 500, refreshCpuMs: 1_150, refreshBytes: 1_000_000, windowSeconds: 50 }],
  ),
  podsOfNode: series({}, [0, { heapKb: 8_000 }], [100, { heapKb: 8_400 }]),
};

const scenario: Scenario = {
  nodes: 1_000,
  pods: 30_000,
  identities: 1_740,
  replicas: 2,
  sessionSeconds: 4_000,
  newPodsPerSecond: 10,
  stsRate: 60,
};

const projected = (name: ProjectedName, changed: Partial<Scenario> = {}) =>
  project(measured, { ...scenario, ...changed }).find((step) => step.name === name)?.value;
const near = (actual: number | undefined, expected: number) =>
  assert.equal(actual?.toFixed(6), expected.toFixed(6));

describe('project', () => {
  for (const [name, expected] of [
    // 4,000 s x 0.435 = 1,740 s.
    ['stsPerSecond', 1],
    ['stsShare', 100 / 600],
    ['firstFill', 29],
    ['liveHeap', 20 + 60 + 30 + 8.7],
    ['resident', 60 + 120 + 50 + 8.7],
    ['idleCpu', 0.5 + 2],
    ['refreshCpu', (1_740 * 3 + 30_000 * 0.5) / 17_400],
    ['newPodCpu', 3],
    ['failover', 7],
    ['restNetwork', 10],
    ['refreshNetwork', (30_000 * 1_000) / 1_740 / 1e3],
    ['newPodNetwork', 20],
    ['agentHeap', 8 + 0.12],
  ] as const) {
    it(`has ${name} by the slopes`, () => near(projected(name), expected));
  }

  it('has the same calls of STS for any number of replicas', () =>
    assert.equal(projected('stsPerSecond', { replicas: 7 }), projected('stsPerSecond')));

  it('wants as many servers as are wished', () => {
    assert.equal(projected('groups'), 1);
    assert.equal(projected('servers', { replicas: 3 }), 3);
  });

  it('cuts the cluster when one thread has too much to do', () => {
    // 3.67 % and 90 %: two threads of 50 %, each with replicas of its own.
    assert.equal(projected('groups', { newPodsPerSecond: 300 }), 2);
    assert.equal(projected('servers', { newPodsPerSecond: 300 }), 4);
  });

  it('shows the arithmetic of every figure', () => {
    for (const { arithmetic, value } of project(measured, scenario)) {
      assert.ok(arithmetic.length > 0);
      assert.ok(Number.isFinite(value));
    }
    const heap = project(measured, scenario).find(({ name }) => name === 'liveHeap');
    assert.equal(
      heap?.arithmetic,
      '20 MB + 30,000 pods x 2 kB + 1,000 agents x 30 kB + 1,740 identities x 5 kB',
    );
  });

  it('takes what is measured to shrink for nothing', () => {
    const shrinking = series(
      { pods: 2_000, identities: 200 },
      ...[0, 100].map((n): [number, Record<string, number>] => [
        n,
        {
          heapKb: 9_000 - n,
          residentMb: 9 - n,
          idlePercent: 1 - n / 200,
          openingCpuMs: 1,
          idleBytesPerSecond: 1,
        },
      ]),
    );
    const step = project({ ...measured, nodes: shrinking }, scenario).find(({ name }) => name === 'idleCpu');
    assert.equal(step?.value, 1);
  });

  it('says what was not measured', () => {
    const podsOfNode = series({}, [110, { heapKb: 8_000 }]);
    assert.throws(
      () => project({ ...measured, podsOfNode }, scenario),
      /heapKb by x was measured at 1 points/,
    );
    const { points } = measured.podsOfCluster;
    const podsOfCluster = { by: 'x', fixed: {}, points };
    assert.throws(() => project({ ...measured, podsOfCluster }, scenario), /how many agents there were by x/);
  });
});
