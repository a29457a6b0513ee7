// A large cluster that changes all the time: nothing wrong, nothing lost, nothing late, and memory that stays.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { memoryOf } from '../../bench/lib/process-facts.ts';
import { percentile } from '../../bench/lib/statistics.ts';
import { createSeededRandom } from '../../src/base/random.ts';
import { suiteScope } from '../end-to-end/suite-scope.ts';
import { needs } from '../parts/availability.ts';
import { checkHistory } from './check-history.ts';
import { createClusterWriter } from './cluster-writer.ts';
import { type FaultWorld, startFaultWorld } from './fault-world.ts';
import { type FedPods, startFedPods } from './fed-pods.ts';
import { note } from './figures.ts';
import type { HistoryEvent } from './history.ts';
import { inspectableFlags, liveHeapOf } from './live-heap.ts';
import { memoryLimitOf } from './manifest-limits.ts';
import { limitMemory, type MemoryLimit, peakMemory } from './memory-limit.ts';
import { type AskingPods, createAskingPods } from './restless-pods.ts';
import { isLong, seed } from './settings.ts';

const podCount = isLong ? 10_000 : 1_000;
const changesPerSecond = isLong ? 200 : 100;
const churnMillis = isLong ? 600_000 : 25_000;
const nodeCount = 50;
const roles = 200;
const bound = { timeout: churnMillis + 600_000 };
/** Wide, for a busy machine. The figure itself is noted. */
const latencyBoundMillis = 5_000;
/** What may be alive more at the end than at the beginning: less than 100 bytes for each of the long mode's changes. */
const heapGrowthBytes = 8e6;
const names = ['server-1', 'server-2', 'agent-1', 'agent-2'] as const;
const servers = names.slice(0, 2);

describe('a cluster that changes all the time', needs('kube-apiserver', 'etcd'), () => {
  const scope = suiteScope();
  const random = createSeededRandom(seed);
  const history: HistoryEvent[] = [];
  const record = (event: HistoryEvent) => {
    history.push(event);
    if (event.kind === 'issued') issued.set(event.accessKeyId, event.role);
  };
  const issued = new Map<string, string>();
  let world: FaultWorld;
  let asking: AskingPods;
  let fed: FedPods;
  let limit: MemoryLimit;

  before(async () => {
    limit = limitMemory(scope, 2 * memoryLimitOf('server.yaml'));
    const serverRun = { through: limit.through, nodeFlags: inspectableFlags };
    world = await startFaultWorld(scope, {
      record,
      servers: 2,
      agents: 2,
      standalone: false,
      stsMillis: 50,
      serverRun,
    });
    const { cluster, serverPorts: ports, agentTls: tls } = world;
    const writer = createClusterWriter(cluster, record);
    asking = createAskingPods({ writer, random, record, pauseMillis: 300 });
    const nodes = Array.from({ length: nodeCount }, (_, i) => `fed-node-${i + 1}`);
    fed = await startFedPods(
      { scope, cluster, random, nodes, roles, roleOf: (key) => issued.get(key) },
      { tls, ports },
    );
    const began = performance.now();
    await fed.grow(podCount);
    note(
      `churn: ${podCount} pods created, and their credentials at ${nodeCount} agents`,
      `after ${Math.round((performance.now() - began) / 1_000)} s`,
    );
  }, bound);

  const heaps = () => Promise.all(servers.map((name) => liveHeapOf(world.processOf(name))));

  /** Whatever happens, nobody goes on asking for ever. */
  async function run() {
    try {
      for (const [node, door] of world.doors.entries()) {
        for (let i = 1; i <= 20; i += 1) await asking.settle(door, `127.93.${node}.${i}`);
        for (let i = 1; i <= 5; i += 1) asking.unsettle(door, `127.94.${node}.${i}`);
      }
      // Code is compiled and pools are filled before it is measured.
      await fed.churn(changesPerSecond, churnMillis / 8);
      await fed.untilAgreed(60_000);
      const heapBefore = await heaps();
      const before = fed.changes;
      const samples = new Map<string, [number, number][]>(names.map((name) => [name, []]));
      const began = performance.now();
      const sampling = new AbortController();
      const sampled = sample(samples, sampling.signal);
      await fed.churn(changesPerSecond, churnMillis);
      const seconds = (performance.now() - began) / 1_000;
      const changes = fed.changes - before;
      sampling.abort();
      await sampled;
      await fed.untilAgreed(60_000);
      const heapAfter = await heaps();
      await asking.calm();
      await setTimeout(12_000);
      return { heapBefore, heapAfter, changes, seconds, samples };
    } finally {
      await asking.calm();
      await asking.stop();
    }
  }

  it(`is served without a mistake, in memory that stays (seed ${seed})`, bound, async () => {
    const { heapBefore, heapAfter, changes, seconds, samples } = await run();

    const { violations, owed } = checkHistory(
      history.filter((event) => event.kind !== 'issued' || !event.role.startsWith('team-role-')),
      { doors: world.doors, informants: [...servers], lagMillis: 2_000, settleMillis: 10_000 },
    );
    const p99 = percentile(fed.latencies, 0.99);
    const teamCalls = [...issued.values()].filter((role) => role.startsWith('team-role-')).length;
    note(
      'churn: changes',
      `${changes} in ${Math.round(seconds)} s, ${Math.round(changes / seconds)} a second`,
    );
    note(
      'churn: from the answer of the API to the credentials at the agent',
      `p50 ${percentile(fed.latencies, 0.5).toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, longest ${percentile(fed.latencies, 1).toFixed(0)} ms, of ${fed.latencies.length}`,
    );
    note(
      'churn: requests of pods at two agents',
      `${owed} had to be answered, ${violations.length} violations`,
    );
    note('churn: sessions that STS issued', `${teamCalls} for ${roles} identities of many pods, 2 servers`);
    for (const name of names) noteMemory(name, samples.get(name) ?? []);
    for (const [i, name] of servers.entries()) {
      const growth = (heapAfter[i] ?? Number.NaN) - (heapBefore[i] ?? Number.NaN);
      const { pid } = world.processOf(name);
      note(
        `churn: ${name}`,
        `live heap ${mb(heapBefore[i] ?? 0)} before, ${mb(heapAfter[i] ?? 0)} after; ${mb(peakMemory(pid))} resident at the most`,
      );
      assert.ok(growth < heapGrowthBytes, `${name} holds ${mb(growth)} more than before`);
      assert.ok(peakMemory(pid) < memoryLimitOf('server.yaml'), `${name} took ${mb(peakMemory(pid))}`);
    }
    assert.equal(limit.kills(), 0);
    assert.deepEqual(fed.wrong.slice(0, 10), []);
    assert.deepEqual(violations.slice(0, 10), []);
    assert.ok(owed > 100, `only ${owed} requests had to be answered`);
    // How fast the API server of a busy machine is says nothing about podpass.
    assert.ok(changes > (changesPerSecond * seconds) / 10, `only ${changes} changes in ${seconds} s`);
    assert.ok(p99 < latencyBoundMillis, `p99 ${p99} ms`);
    assert.ok(teamCalls <= roles * servers.length, `${teamCalls} sessions of ${roles} identities`);
    for (const name of names) assert.equal(world.processOf(name).ended, undefined);
  });

  async function sample(into: Map<string, [number, number][]>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      for (const [name, values] of into)
        values.push([performance.now() / 60_000, memoryOf(world.processOf(name).pid).residentMb]);
      await setTimeout(churnMillis / 60, undefined, { signal }).catch(() => {});
    }
  }
});

function noteMemory(name: string, samples: readonly (readonly [number, number])[]): void {
  const values = samples.map(([, value]) => value);
  const range = `${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)} MB`;
  note(`churn: ${name}, resident memory`, `${range}, ${slope(samples).toFixed(2)} MB a minute`);
}

/** Least squares: the change of the second value for each unit of the first. */
function slope(points: readonly (readonly [number, number])[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const x = mean(points.map(([at]) => at));
  const y = mean(points.map(([, value]) => value));
  const over = points.reduce((sum, [at, value]) => sum + (at - x) * (value - y), 0);
  return over / points.reduce((sum, [at]) => sum + (at - x) ** 2, 0);
}

function mb(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
