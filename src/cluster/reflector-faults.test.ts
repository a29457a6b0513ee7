import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createSeededRandom } from '../base/random.ts';
import type { StreamEnd } from './connection.ts';
import { status } from './testing/fake-cluster.ts';
import { createWatchHarness, settle, things, type WatchHarness } from './testing/watch-harness.ts';

/** What the world may do to a watch between two moments. */
type Act =
  | { readonly act: 'put' | 'delete' | 'recreate'; readonly name: string }
  /** Events are kept back from now on, and go out in another order, some twice. */
  | { readonly act: 'hold' | 'release' }
  | { readonly act: 'repeat' }
  | { readonly act: 'cut'; readonly end: StreamEnd }
  | { readonly act: 'expire' }
  | { readonly act: 'bookmark' }
  | { readonly act: 'refuse'; readonly code: number }
  | { readonly act: 'away' | 'back' }
  | { readonly act: 'wait'; readonly millis: number };

const names = fc.constantFrom('a', 'b', 'c', 'd');
const acts: fc.Arbitrary<Act> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ act: fc.constantFrom('put', 'delete', 'recreate'), name: names }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constantFrom('hold', 'release') }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('repeat') }) },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant('cut'),
      end: fc.constantFrom('closed', 'lost', 'malformed', 'oversized', 'silent'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constantFrom('expire', 'bookmark', 'away', 'back') }) },
  {
    weight: 1,
    arbitrary: fc.record({ act: fc.constant('refuse'), code: fc.constantFrom(401, 403, 410, 429, 500, 503) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ act: fc.constant('wait'), millis: fc.integer({ min: 0, max: 200_000 }) }),
  },
) as fc.Arbitrary<Act>;

function createWorld(harness: WatchHarness, seed: number) {
  const { cluster, clock } = harness;
  const random = createSeededRandom(seed);
  const seen: unknown[] = [];
  let held: unknown[] | undefined;
  cluster.mangle = (lines) => {
    seen.push(...lines);
    held?.push(...lines);
    return held ? [] : lines;
  };

  function release(): void {
    const lines = (held ?? []).flatMap((line) => (random.next() < 0.3 ? [line, line] : [line]));
    held = undefined;
    for (const { line } of lines.map((line) => ({ line, at: random.next() })).sort((a, b) => a.at - b.at)) {
      cluster.sendRaw(line);
    }
  }

  async function perform(step: Act): Promise<void> {
    switch (step.act) {
      case 'put':
        cluster.put(things, { namespace: 'ns', name: step.name });
        break;
      case 'delete':
        cluster.delete(things, 'ns', step.name);
        break;
      case 'recreate':
        cluster.delete(things, 'ns', step.name);
        cluster.put(things, { namespace: 'ns', name: step.name });
        break;
      case 'hold':
        held ??= [];
        break;
      case 'release':
        release();
        break;
      case 'repeat':
        for (const line of seen.slice(-5)) cluster.sendRaw(line);
        break;
      case 'cut':
        cluster.endWatches(step.end);
        break;
      case 'expire':
        cluster.compact();
        cluster.sendRaw({ type: 'ERROR', object: { code: 410, reason: 'Expired' } });
        break;
      case 'bookmark':
        // A bookmark promises that all before it was sent, so it cannot overtake what is kept back.
        if (!held) cluster.bookmark(things);
        break;
      case 'refuse': {
        let left = 2;
        cluster.intercept = () => {
          left -= 1;
          return left < 0 ? undefined : status(step.code, '', 'refused by the test');
        };
        break;
      }
      case 'away':
        cluster.intercept = () => ({ kind: 'unreachable', message: 'away' });
        cluster.endWatches('lost');
        break;
      case 'back':
        cluster.intercept = undefined;
        break;
      case 'wait':
        await clock.advance(step.millis);
    }
    if (random.next() < 0.7) await settle(clock);
  }

  return {
    perform,
    async heal(): Promise<void> {
      cluster.intercept = undefined;
      release();
      await clock.advance(60_000);
      // Whatever a watch that was cut had not sent comes with the next one.
      cluster.endWatches('closed');
      await clock.advance(60_000);
    },
  };
}

function versions(objects: Iterable<{ uid: string; resourceVersion: string }>): [string, string][] {
  return [...objects].map(({ uid, resourceVersion }): [string, string] => [uid, resourceVersion]).sort();
}

describe('a reflector under faults', () => {
  for (const streamLists of [true, false]) {
    it(`ends with what the cluster has, and never contradicts itself (${streamLists ? 'streamed lists' : 'pages'})`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(acts, { maxLength: 60 }), fc.nat(), async (steps, seed) => {
          const harness = createWatchHarness({ seed, streamLists, maxPage: 3 });
          const world = createWorld(harness, seed);
          for (const name of seed % 3 === 0 ? ['a'] : ['a', 'b']) {
            harness.cluster.put(things, { namespace: 'ns', name });
          }
          await harness.start();
          for (const step of steps) await world.perform(step);
          await world.heal();
          const { cluster, watch, listener } = harness;
          const truth = versions(cluster.objects(things).map(({ metadata }) => metadata));
          assert.deepEqual(versions(watch.values()), truth);
          assert.deepEqual(versions(listener.held.values()), truth);
          assert.equal(watch.status.kind, 'live');
          // The listener asserts on each call; what it throws is logged as a defect.
          assert.deepEqual(
            harness.log.filter(({ level }) => level === 'error'),
            [],
          );
          for (const object of watch.values()) assert.equal(watch.getByName('ns', object.name), object);
          await harness.stop();
        }),
        { numRuns: 300 },
      );
    });
  }
});
