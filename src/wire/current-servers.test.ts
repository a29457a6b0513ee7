import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { createFakeClock } from '../base/fake-clock.ts';
import { createCurrency } from '../broker/currency.ts';
import { createFakeWatch, type FakeWatch } from '../broker/testing/fake-watch.ts';
import { makeView } from '../broker/testing/objects.ts';
import type { Namespace, Pod } from '../cluster/objects.ts';
import { startAgent, startBrokerServer, type TestAgent, type TestServer, until } from './testing/harness.ts';

const cleanups: (() => unknown)[] = [];
/** One for all, so that what a server waits for passes as well. */
let clock = createFakeClock();
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  clock = createFakeClock();
});

interface Server extends TestServer {
  readonly pods: FakeWatch<Pod>;
  readonly namespaces: FakeWatch<Namespace>;
  /** It has taken in a change of a pod. */
  hear(version: string): void;
  loseTouch(): void;
  regainTouch(): void;
}

/** A server that knows one pod, named after it. */
async function server(name: string): Promise<Server> {
  const pods = createFakeWatch<Pod>();
  const namespaces = createFakeWatch<Namespace>();
  const started = await startBrokerServer({ currency: createCurrency({ pods, namespaces }), clock });
  cleanups.push(() => started.server.close());
  started.source.set(makeView({ name }));
  return {
    ...started,
    pods,
    namespaces,
    hear(version) {
      pods.position = { known: version, changed: version };
    },
    loseTouch: () => pods.setStatus({ kind: 'stale', since: 0 }),
    regainTouch: () => pods.setStatus({ kind: 'live' }),
  };
}

function agent(...servers: readonly Server[]): TestAgent {
  const started = startAgent(
    servers.map(({ port }) => port),
    { clock },
  );
  cleanups.push(() => started.stop());
  return started;
}

/** From whom an agent has its pods, once it has all of them. */
const isFedBy =
  ({ feed, sink }: TestAgent, name: string) =>
  () =>
    feed.status.kind === 'connected' && feed.status.synced && sink.held.has(`uid-${name}`);

describe('an agent with several servers', () => {
  it('leaves one that loses touch with the Kubernetes API for one that is in touch', async () => {
    const first = await server('first');
    const second = await server('second');
    const started = agent(first, second);
    await until('the first feeds it', isFedBy(started, 'first'));
    first.loseTouch();
    await until('the second feeds it', isFedBy(started, 'second'), clock);
    assert.deepEqual([...started.sink.held.keys()], ['uid-second']);
  });

  it('begins with one that is in touch, whatever their order', async () => {
    const first = await server('first');
    const second = await server('second');
    first.loseTouch();
    const started = agent(first, second);
    await until('the second feeds it', isFedBy(started, 'second'), clock);
    assert.equal(first.source.watching.length, 0, 'the first was not asked to feed the node');
  });

  it('goes by one that is out of touch where none is in touch', async () => {
    const first = await server('first');
    const second = await server('second');
    first.loseTouch();
    second.loseTouch();
    const started = agent(first, second);
    await until('the first feeds it', isFedBy(started, 'first'), clock);
  });

  it('looks again after 30 s whether another is in touch by then', async () => {
    const first = await server('first');
    const second = await server('second');
    first.loseTouch();
    second.loseTouch();
    const started = agent(first, second);
    await until('the first feeds it', isFedBy(started, 'first'), clock);
    second.regainTouch();
    await until('it has gone over', isFedBy(started, 'second'), clock, 500);
  });

  it('keeps what it has and waits, rather than go by one that knows less', async () => {
    const first = await server('first');
    const second = await server('second');
    first.hear('100');
    second.hear('99');
    const started = agent(first, second);
    await until('the first feeds it', isFedBy(started, 'first'));
    await first.server.drain(10);
    await until('it is alone', () => started.feed.status.kind === 'connecting', clock);
    for (let tries = 0; tries < 20; tries += 1) await clock.advance(500);
    assert.deepEqual([...started.sink.held.keys()], ['uid-first']);
    second.hear('100');
    await until('the second has caught up', isFedBy(started, 'second'), clock);
  });

  it('takes a cluster that went back for what it is after five minutes', async () => {
    const first = await server('first');
    const second = await server('second');
    first.hear('100');
    second.hear('7');
    const started = agent(first, second);
    await until('the first feeds it', isFedBy(started, 'first'));
    await first.server.drain(10);
    await until('the second feeds it', isFedBy(started, 'second'), clock, 1_000);
    assert.ok(clock.monotonic() >= 300_000);
  });
});

describe('a server that agents come to while it has not seen the whole cluster', () => {
  it('feeds those that find no other, and does not send them away once it is in touch', async () => {
    const only = await server('only');
    only.pods.setStatus({ kind: 'syncing' });
    const started = agent(only);
    await until('it is fed', isFedBy(started, 'only'), clock);
    only.regainTouch();
    const streams = only.source.watching;
    await clock.advance(60_000);
    assert.deepEqual(only.source.watching, streams);
    only.loseTouch();
    await until('it came back for want of another', isFedBy(started, 'only'), clock);
  });
});
