import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock } from '../base/fake-clock.ts';
import { createSeededRandom } from '../base/random.ts';
import { createSilentLogger } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { projectNamespace, watchNamespaces } from './namespaces.ts';
import { createFakeCluster } from './testing/fake-cluster.ts';

const permitted = 'iam.amazonaws.com/permitted';
const keep = new Set([permitted]);

describe('what is kept of a namespace', () => {
  it('is its name, UID, version and the annotations asked for', () => {
    const metadata = {
      uid: 'u1',
      name: 'team',
      resourceVersion: '7',
      annotations: { [permitted]: '.*', x: 'y' },
    };
    assert.deepEqual(projectNamespace({ metadata, spec: {}, status: {} }, keep), {
      uid: 'u1',
      namespace: '',
      name: 'team',
      resourceVersion: '7',
      annotations: { [permitted]: '.*' },
    });
  });

  it('is nothing where one of these is missing', () => {
    for (const raw of [
      undefined,
      {},
      { metadata: { uid: 'u1', name: 'team' } },
      { metadata: { name: 'team', resourceVersion: '1' } },
    ]) {
      assert.equal(projectNamespace(raw, keep), undefined);
    }
  });
});

describe('the watch of namespaces', () => {
  it('asks for metadata alone, in the form that each question has, and takes whole objects as well', async () => {
    for (const [streamLists, list] of [
      [true, 'PartialObjectMetadata'],
      [false, 'PartialObjectMetadataList'],
    ] as const) {
      const clock = createFakeClock();
      const cluster = createFakeCluster({ clock });
      cluster.put('/api/v1/namespaces', { name: 'team', metadata: { annotations: { [permitted]: '.*' } } });
      const namespaces = watchNamespaces({
        connection: cluster.connection,
        clock,
        random: createSeededRandom(1),
        logger: createSilentLogger(),
        metrics: createMetrics(),
        keepAnnotations: keep,
        streamLists,
      });
      const stopping = new AbortController();
      const running = namespaces.run(stopping.signal);
      await clock.advance(0);
      assert.equal(namespaces.getByName('', 'team')?.annotations[permitted], '.*');
      const accepts = cluster.requests.map(({ headers }) => headers.accept);
      assert.deepEqual(accepts, [
        `application/json;as=${list};g=meta.k8s.io;v=1,application/json`,
        'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=1,application/json',
      ]);
      stopping.abort();
      await running;
    }
  });
});
