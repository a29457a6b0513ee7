import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '../base/clock.ts';
import { createSeededRandom } from '../base/random.ts';
import { createSilentLogger } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { createClusterConnection } from './create-connection.ts';
import { watchPods } from './pods.ts';
import { startFakeApiServer } from './testing/fake-api-server.ts';
import { createFakeCluster, status } from './testing/fake-cluster.ts';

const path = '/api/v1/pods';

/** Waits in real time for what sockets do; fails after ten seconds. */
async function until(what: string, condition: () => boolean): Promise<void> {
  const end = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > end) assert.fail(`not within ten seconds: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('the watch of pods over the network', () => {
  for (const listStreaming of ['serve', 'invalid', 'error-event'] as const) {
    it(`follows a cluster through cuts, an expired token and a restart (streamed lists: ${listStreaming})`, async (t) => {
      const cluster = createFakeCluster({ clock: systemClock, listStreaming, maxPage: 7 });
      for (let index = 0; index < 20; index += 1)
        cluster.put(path, { namespace: 'team', name: `web-${index}` });
      const server = await startFakeApiServer((request) => cluster.answer(request));
      let token = 'token-1';
      let refusals = 0;
      const connection = createClusterConnection({
        clock: systemClock,
        config: {
          server: server.url,
          source: 'the test',
          async access({ refused }) {
            if (refused) token = 'token-2';
            return { headers: { authorization: `Bearer ${token}` }, tls: {} };
          },
        },
      });
      const pods = watchPods({
        connection,
        clock: systemClock,
        random: createSeededRandom(1),
        logger: createSilentLogger(),
        metrics: createMetrics(),
        keepAnnotations: new Set(),
        timeouts: { graceMillis: 9_000 },
      });
      const statuses: string[] = [];
      pods.subscribe({ upsert: () => {}, remove: () => {}, status: ({ kind }) => statuses.push(kind) });
      const stopping = new AbortController();
      const running = pods.run(stopping.signal);
      t.after(async () => {
        stopping.abort();
        await running;
        connection.close();
        await server.close();
      });

      await until('the first list', () => pods.status.kind === 'live' && cluster.openWatches === 1);
      assert.equal(pods.size, 20);

      cluster.delete(path, 'team', 'web-3');
      cluster.put(path, { namespace: 'team', name: 'web-3' });
      await until('the change', () => pods.getByName('team', 'web-3')?.uid === 'uid-21');

      cluster.endWatches('lost');
      cluster.delete(path, 'team', 'web-4');
      await until('the deletion after the cut', () => pods.getByName('team', 'web-4') === undefined);

      cluster.intercept = ({ headers }) => {
        if (headers.authorization === 'Bearer token-2') return undefined;
        refusals += 1;
        return status(401, 'Unauthorized', 'Unauthorized');
      };
      cluster.endWatches('closed');
      cluster.put(path, { namespace: 'team', name: 'new' });
      await until('the change after the refusal', () => pods.getByName('team', 'new') !== undefined);
      assert.equal(refusals, 1);

      cluster.compact();
      cluster.endWatches('lost');
      cluster.delete(path, 'team', 'new');
      await until('the list after the restart', () => pods.getByName('team', 'new') === undefined);
      assert.equal(pods.size, 19);
      assert.deepEqual(statuses, ['syncing', 'live']);
    });
  }
});
