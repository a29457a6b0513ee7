// Processes that hang (SIGSTOP) and come back (SIGCONT). Nothing is closed and nothing refused: whoever waits for them
// must give up by itself.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { callerAt } from '../end-to-end/ask-agent.ts';
import { eventually } from '../end-to-end/eventually.ts';
import { suiteScope } from '../end-to-end/suite-scope.ts';
import { needs } from '../parts/availability.ts';
import { type ClusterWriter, createClusterWriter, type FaultPod } from './cluster-writer.ts';
import { type Door, type FaultWorld, startFaultWorld } from './fault-world.ts';
import { note } from './figures.ts';
import type { HistoryEvent } from './history.ts';
import { startPodClient } from './pod-client.ts';
import { isLong } from './settings.ts';

const bound = { timeout: 150_000 };
const hangMillis = isLong ? 30_000 : 8_000;
/** Longer than the longest wait between two tries after an outage of this length, on a busy machine. */
const backBoundMillis = 60_000;

describe('while a process hangs', needs('kube-apiserver', 'etcd'), () => {
  const scope = suiteScope();
  const history: HistoryEvent[] = [];
  let world: FaultWorld;
  let writer: ClusterWriter;
  let door: Door;
  let old: FaultPod;
  let lastPod = 0;

  before(async () => {
    const record = (event: HistoryEvent) => void history.push(event);
    world = await startFaultWorld(scope, { record, servers: 2, agents: 1, standalone: false, stsMillis: 20 });
    writer = createClusterWriter(world.cluster, record);
    const [first] = world.doors;
    assert.ok(first);
    door = first;
    old = await addPod();
    await untilServed(old);
  }, bound);

  function nextPod(): FaultPod {
    lastPod += 1;
    const { name, nodeName } = door;
    const address = `127.92.0.${lastPod}`;
    return { name: `pod-${lastPod}`, door: name, nodeName, address, role: `role-${lastPod}` };
  }

  async function addPod(): Promise<FaultPod> {
    const pod = nextPod();
    await writer.add(pod);
    return pod;
  }

  async function untilServed({ address, role }: FaultPod): Promise<number> {
    const began = performance.now();
    await eventually(async () => {
      const answer = await callerAt(door.port).ask(address);
      assert.equal(answer.status, 200, answer.body);
      assert.equal(answer.role, role);
    }, backBoundMillis);
    return Math.round(performance.now() - began);
  }

  /** The pod that was there before asks all the while, and is always answered at once. */
  async function assertServesMeanwhile(work: () => Promise<void>): Promise<void> {
    const wrong: string[] = [];
    const client = startPodClient({
      door: door.name,
      port: door.port,
      address: old.address,
      pauseMillis: 100,
      record({ status, tries, during, body }) {
        const millis = Math.round(during.to - during.from);
        if (status !== 200 || tries > 1 || millis > 3_000)
          wrong.push(`${status} after ${millis} ms: ${body}`);
      },
    });
    try {
      await work();
    } finally {
      await client.stop();
    }
    assert.deepEqual(wrong, []);
  }

  async function hang(pid: number, work: () => Promise<void>): Promise<void> {
    process.kill(pid, 'SIGSTOP');
    try {
      await work();
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  }

  it(
    'serves on while STS hangs, tells newcomers to come again, and serves them soon after',
    bound,
    async () => {
      let late: FaultPod | undefined;
      await assertServesMeanwhile(() =>
        hang(world.sts.pid, async () => {
          late = await addPod();
          const { status, millis, body } = await callerAt(door.port).ask(late.address);
          assert.equal(status, 503, body);
          assert.ok(millis < 8_000, `held for ${millis} ms`);
          await setTimeout(hangMillis);
        }),
      );
      assert.ok(late);
      note(
        `STS hung for ${hangMillis / 1_000} s: the newcomer was served after`,
        `${await untilServed(late)} ms`,
      );
    },
  );

  it('serves on while the API server hangs, also from a new agent, and catches up', bound, async () => {
    const { cluster, mortals } = world;
    const agent = mortals.find(({ name }) => name === door.name);
    assert.ok(agent);
    cluster.pauseApiServer();
    let adding: Promise<void> | undefined;
    const late = nextPod();
    try {
      await assertServesMeanwhile(() => setTimeout(hangMillis));
      await agent.kill();
      await agent.start();
      assert.ok((await untilServed(old)) < 10_000);
      adding = writer.add(late);
      await setTimeout(1_000);
    } finally {
      cluster.continueApiServer();
    }
    await adding;
    note(
      `API server hung for ${hangMillis / 1_000} s: a pod that came then was served after`,
      `${await untilServed(late)} ms`,
    );
  });

  it('leaves a server that hangs for the other one', bound, async () => {
    const names = ['server-1', 'server-2'] as const;
    const fed = await Promise.all(names.map((name) => world.processOf(name).metric('podpass_feed_nodes')));
    const feeder = names[fed.indexOf(1)];
    assert.ok(feeder, `one of both feeds the node: ${fed}`);
    await assertServesMeanwhile(() =>
      hang(world.processOf(feeder).pid, async () => {
        const late = await addPod();
        note(
          'a server hung: a pod that came then was served by the other after',
          `${await untilServed(late)} ms`,
        );
      }),
    );
    await untilServed(await addPod());
  });
});
