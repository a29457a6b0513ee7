import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock } from '../base/fake-clock.ts';
import { createSeededRandom } from '../base/random.ts';
import { createLogger } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import type { Node } from './objects.ts';
import { watchPermittedNodes } from './permitted-nodes.ts';
import { createFakeCluster, type FakeAnswer, status } from './testing/fake-cluster.ts';
import type { Watch } from './watch.ts';

function setUp(answer?: FakeAnswer) {
  const clock = createFakeClock();
  const cluster = createFakeCluster({ clock });
  cluster.intercept = answer && (() => answer);
  const lines: { level: string; msg: string }[] = [];
  const logger = createLogger({
    level: 'info',
    json: true,
    clock,
    write: (line) => lines.push(JSON.parse(line)),
  });
  const metrics = createMetrics();
  const stopping = new AbortController();
  const watches: Watch<Node>[] = [];
  const ended = watchPermittedNodes(
    {
      connection: cluster.connection,
      clock,
      random: createSeededRandom(1),
      logger,
      metrics,
      onWatch: (nodes) => watches.push(nodes),
    },
    stopping.signal,
  );
  const stop = () => {
    stopping.abort();
    return ended;
  };
  return { clock, cluster, lines, metrics, watches, stop };
}

const path = '/api/v1/nodes';

describe('nodes that may be read', () => {
  it('are watched', async () => {
    const { clock, cluster, watches, stop } = setUp();
    cluster.put(path, { name: 'node-1', spec: { podCIDR: '10.1.0.0/24' } });
    await clock.advance(1_000);
    assert.deepEqual(
      [...(watches[0]?.values() ?? [])].map(({ podCIDRs }) => podCIDRs),
      [['10.1.0.0/24']],
    );
    await stop();
  });
});

describe('nodes that may not be read', () => {
  it('are one line of the log, no metric, and asked for again rarely', async () => {
    const { clock, cluster, lines, metrics, watches, stop } = setUp(
      status(403, 'Forbidden', 'nodes is forbidden'),
    );
    await clock.advance(3_600_000);
    assert.ok(
      cluster.requests.length >= 5 && cluster.requests.length <= 7,
      `${cluster.requests.length} requests`,
    );
    assert.deepEqual(
      lines.map(({ level }) => level),
      ['info'],
    );
    assert.match(lines[0]?.msg ?? '', /nodes may not be read.*deploy\/manifests\/rbac\.yaml/);
    assert.ok(!(await metrics.registry.metrics()).includes('resource="nodes"'));
    cluster.intercept = undefined;
    await clock.advance(720_000);
    assert.equal(watches.length, 1);
    await stop();
  });

  it('are asked for again soon where the API server is away', async () => {
    const { clock, cluster, lines, watches, stop } = setUp({ kind: 'unreachable', message: 'refused' });
    await clock.advance(60_000);
    cluster.intercept = undefined;
    await clock.advance(40_000);
    assert.equal(watches.length, 1);
    assert.deepEqual(
      lines.filter(({ level }) => level !== 'info'),
      [],
    );
    await stop();
  });
});
