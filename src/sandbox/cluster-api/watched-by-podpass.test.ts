import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock, type FakeClock } from '../../base/fake-clock.ts';
import { createSeededRandom } from '../../base/random.ts';
import { createClusterConnection } from '../../cluster/create-connection.ts';
import type { Pod } from '../../cluster/objects.ts';
import { watchPods } from '../../cluster/pods.ts';
import { createTokenReviewer } from '../../cluster/token-review.ts';
import type { Watch } from '../../cluster/watch.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { createMetrics } from '../../telemetry/metrics.ts';
import type { WatchListMode } from './faults.ts';
import { accepted } from './testing/outcomes.ts';
import { adminToken, startTestCluster, type TestCluster } from './testing/test-cluster.ts';
import { changed, createPod, nodes, pods } from './testing/test-store.ts';

interface Watched {
  readonly cluster: TestCluster;
  readonly watch: Watch<Pod>;
  /** Goes on, a millisecond of the watch's own time at each turn of the loop, until it is so. */
  until(what: string, condition: () => boolean): Promise<void>;
  close(): Promise<void>;
}

const role = 'iam.amazonaws.com/role';

async function watched(
  options: { streamLists?: boolean; prepare?: (cluster: TestCluster) => void } = {},
): Promise<Watched> {
  const { streamLists = true, prepare } = options;
  const cluster = await startTestCluster();
  prepare?.(cluster);
  const clock = createFakeClock();
  const connection = connect(cluster, clock);
  const watch = watchPods({
    connection,
    clock,
    random: createSeededRandom(1),
    metrics: createMetrics(),
    logger: createLogger({ level: 'error', json: true, clock, write: () => {} }),
    keepAnnotations: new Set([role]),
    streamLists,
  });
  const stopping = new AbortController();
  const running = watch.run(stopping.signal);
  return {
    cluster,
    watch,
    async until(what, condition) {
      for (let turn = 0; turn < 60_000; turn++) {
        if (condition()) return;
        await clock.advance(1);
      }
      assert.fail(`it never came to this: ${what}; the watch is ${watch.status.kind}`);
    },
    async close() {
      stopping.abort(new Error('the test is over'));
      await running;
      connection.close();
      await cluster.close();
    },
  };
}

function connect(cluster: TestCluster, clock: FakeClock) {
  const access = async () => ({ headers: { authorization: `Bearer ${adminToken}` }, tls: {} });
  return createClusterConnection({ config: { server: cluster.url, source: 'test', access }, clock });
}

function manyPods({ api }: TestCluster): void {
  for (let i = 0; i < 1_200; i++)
    createPod(api.store, `pod-${i}`, { status: { phase: 'Running', podIP: `10.0.${i >> 8}.${i & 255}` } });
}

describe('podpass’s own watch of the cluster API', () => {
  const modes: [string, WatchListMode, boolean][] = [
    ['streams its first list', 'serve', true],
    ['takes pages where it does not stream', 'serve', false],
    ['takes pages where streaming is forbidden', 'forbid', true],
    ['takes pages where streaming breaks', 'error-event', true],
  ];
  for (const [what, mode, streamLists] of modes) {
    it(`${what}, and follows from there`, async () => {
      const { watch, cluster, until, close } = await watched({
        streamLists,
        prepare: (fresh) => {
          manyPods(fresh);
          fresh.api.faults.watchList = mode;
        },
      });
      const { store } = cluster.api;
      await until('live', () => watch.status.kind === 'live');
      assert.equal(watch.size, 1_200);
      const pod = createPod(store, 'web', { metadata: { annotations: { [role]: 'reader', other: 'x' } } });
      await until('the new pod', () => watch.get(pod.metadata.uid) !== undefined);
      assert.deepEqual(watch.get(pod.metadata.uid)?.annotations, { [role]: 'reader' });
      accepted(store.update(pods, changed(pod, { annotations: { [role]: 'writer' } })));
      await until('the other role', () => watch.get(pod.metadata.uid)?.annotations[role] === 'writer');
      accepted(store.delete(pods, 'default', 'web'));
      await until('its end', () => watch.get(pod.metadata.uid) === undefined);
      await close();
    });
  }

  it('gets over a cut, and over a cut with lost history', async () => {
    const { watch, cluster, until, close } = await watched();
    const { store, faults } = cluster.api;
    await until('live', () => watch.status.kind === 'live');
    const first = createPod(store, 'first');
    await until('the first pod', () => watch.get(first.metadata.uid) !== undefined);
    faults.cutWatches();
    const second = createPod(store, 'second');
    await until('what happened meanwhile', () => watch.get(second.metadata.uid) !== undefined);
    faults.cutWatches();
    accepted(store.delete(pods, 'default', 'first'));
    const third = createPod(store, 'third');
    faults.expireHistory();
    await until('the new list', () => watch.get(third.metadata.uid) !== undefined);
    assert.equal(watch.get(first.metadata.uid), undefined);
    assert.equal(watch.size, 2);
    await close();
  });

  it('waits out a server that fails', async () => {
    const { watch, cluster, until, close } = await watched({
      prepare: ({ api }) => {
        createPod(api.store, 'web');
        api.faults.failNext(3, { code: 503, reason: 'ServiceUnavailable' });
        api.faults.dropNext(1);
      },
    });
    await until('live', () => watch.status.kind === 'live');
    assert.equal(watch.getByName('default', 'web')?.phase, 'Pending');
    assert.equal(cluster.api.store.list(pods).length, 1);
    await close();
  });
});

describe('podpass’s own token review', () => {
  it('reads whose token it is, and on which node', async () => {
    const cluster = await startTestCluster();
    const { store, tokens } = cluster.api;
    const node = accepted(store.create(nodes, { metadata: { name: 'node-1' } }));
    const pod = createPod(store, 'agent', { spec: { nodeName: 'node-1' } });
    const request = { audiences: ['podpass'], expirationSeconds: 600, boundPod: { name: 'agent', uid: '' } };
    const { token } = accepted(await tokens.issue('default', 'default', request));
    const connection = connect(cluster, createFakeClock());
    const reviewer = createTokenReviewer({ connection, audiences: ['podpass'] });
    const signal = AbortSignal.timeout(10_000);
    const outcome = await reviewer.review(token, signal);
    assert.equal(outcome.kind, 'authenticated');
    const identity = outcome.kind === 'authenticated' ? outcome.identity : undefined;
    assert.equal(identity?.username, 'system:serviceaccount:default:default');
    assert.deepEqual(identity?.pod, { name: 'agent', uid: pod.metadata.uid });
    assert.deepEqual(identity?.node, { name: 'node-1', uid: node.metadata.uid });
    accepted(store.delete(pods, 'default', 'agent'));
    assert.equal((await reviewer.review(token, signal)).kind, 'refused');
    connection.close();
    await cluster.close();
  });
});
