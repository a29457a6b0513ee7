// kill -9 of every kind of process, at random, under load. What pods were answered is judged afterwards, all of it.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { percentile } from '../../bench/lib/statistics.ts';
import { createSeededRandom } from '../../src/base/random.ts';
import { suiteScope } from '../end-to-end/suite-scope.ts';
import { needs } from '../parts/availability.ts';
import { checkHistory } from './check-history.ts';
import { createClusterWriter } from './cluster-writer.ts';
import { type FaultWorld, startFaultWorld } from './fault-world.ts';
import { note } from './figures.ts';
import type { HistoryEvent } from './history.ts';
import { killAndRestart, type Mortal, noteDeath } from './mortal.ts';
import { type AskingPods, createAskingPods } from './restless-pods.ts';
import { isLong, seed } from './settings.ts';

const stormMillis = isLong ? 600_000 : 40_000;
const graceMillis = 60_000;
const bound = { timeout: stormMillis + graceMillis + 180_000 };
/** Pods of a node that stay; addresses of a node that change hands. */
const settled = 12;
const restless = 4;
const pauseMillis = 300;
/** Wide, for a busy machine: what is slow here is the machine. */
const lagMillis = 2_000;
const settleMillis = 10_000;

describe('kill -9 at random', needs('kube-apiserver', 'etcd'), () => {
  const scope = suiteScope();
  const random = createSeededRandom(seed);
  const history: HistoryEvent[] = [];
  const record = (event: HistoryEvent) => void history.push(event);
  let world: FaultWorld;
  let pods: AskingPods;

  before(async () => {
    world = await startFaultWorld(scope, { record, servers: 2, agents: 2, standalone: true, stsMillis: 50 });
    const writer = createClusterWriter(world.cluster, record);
    pods = createAskingPods({ writer, random, record, pauseMillis });
  }, bound);

  const between = (least: number, most: number) => least + random.next() * (most - least);

  /** Until then, and until every kind of process was killed; on a busy machine that takes longer, within a bound. */
  async function storm(until: number): Promise<number> {
    const spared = new Set(world.mortals);
    let kills = 0;
    while (performance.now() < until || (spared.size > 0 && performance.now() < until + graceMillis)) {
      const first = pick([...(spared.size > 0 ? spared : world.mortals)]);
      const second = random.next() < 0.3 ? pick(world.mortals) : first;
      // Without its etcd an API server is not ready, and is waited for in vain.
      const isOne = second === first || ['etcd', 'kube-apiserver'].includes(second.name);
      const victims = isOne ? [first] : [first, second];
      await Promise.all(victims.map((victim) => killAndRestart(victim, record)));
      for (const victim of victims) spared.delete(victim);
      kills += victims.length;
      // Now and then all is well for long enough that everything is owed again.
      await setTimeout(
        random.next() < 0.8 ? between(200, 4_000) : between(settleMillis, settleMillis + 4_000),
      );
    }
    return kills;
  }

  function pick(among: readonly Mortal[]): Mortal {
    const victim = among[Math.floor(random.next() * among.length)];
    assert.ok(victim);
    return victim;
  }

  /** Whatever happens, nobody goes on asking for ever. */
  async function run(): Promise<number> {
    try {
      for (const [node, door] of world.doors.entries()) {
        for (let i = 1; i <= settled; i += 1) await pods.settle(door, `127.90.${node}.${i}`);
        for (let i = 1; i <= restless; i += 1) pods.unsettle(door, `127.91.${node}.${i}`);
      }
      await setTimeout(5_000);
      const kills = await storm(performance.now() + stormMillis);
      await pods.calm();
      await setTimeout(settleMillis + 5_000);
      return kills;
    } finally {
      await pods.calm();
      await pods.stop();
    }
  }

  it(
    `gives no pod another's credentials, and no pod less than is promised (seed ${seed})`,
    bound,
    async () => {
      const kills = await run();
      for (const mortal of world.mortals) noteDeath(mortal, record);

      const { violations, owed } = checkHistory(history, {
        doors: world.doors,
        informants: ['server-1', 'server-2', 'standalone', 'kube-apiserver', 'etcd'],
        lagMillis,
        settleMillis,
      });
      report(kills, owed);
      assert.ok(owed > 100, `only ${owed} requests had to be answered`);
      assert.equal(
        violations.length,
        0,
        `seed ${seed}: ${violations.length} violations\n${violations
          .slice(0, 20)
          .map(({ rule, text }) => `${rule}: ${text}`)
          .join('\n')}\n${faultsAsText()}`,
      );
    },
  );

  function report(kills: number, owed: number): void {
    const requests = history.filter((event) => event.kind === 'request');
    const served = requests.filter(({ status }) => status === 200);
    const millis = served.map(({ during }) => during.to - during.from);
    const roles = new Set(history.flatMap((event) => (event.kind === 'pod' ? [event.role] : [])));
    note(`kill -9, seed ${seed}`, `${kills} kills`);
    note(
      'kill -9: requests of pods',
      `${requests.length}, of which ${owed} had to be answered, and ${served.length} were`,
    );
    note('kill -9: a second try was needed', requests.filter(({ tries }) => tries > 1).length);
    note('kill -9: told to come again (503)', requests.filter(({ status }) => status === 503).length);
    note(
      'kill -9: p50, p99, longest wait',
      [0.5, 0.99, 1].map((share) => `${Math.round(percentile(millis, share))} ms`).join(', '),
    );
    note(
      'kill -9: sessions that STS issued',
      `${history.filter(({ kind }) => kind === 'issued').length} for ${roles.size} identities`,
    );
  }

  function faultsAsText(): string {
    return history
      .flatMap((event) =>
        event.kind === 'fault'
          ? [`${event.process} away ${Math.round(event.during.from)} to ${Math.round(event.during.to)}`]
          : [],
      )
      .join('\n');
  }
});
