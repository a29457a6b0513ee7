import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock } from '../base/fake-clock.ts';
import { createSeededRandom } from '../base/random.ts';
import { createLogger } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import type { ClusterEvent } from './event-correlator.ts';
import { createEventRecorder } from './event-recorder.ts';
import { createFakeCluster, type FakeAnswer, type FakeRequest, status } from './testing/fake-cluster.ts';

const object = { apiVersion: 'v1', kind: 'Pod', namespace: 'team', name: 'web-0', uid: 'u1' };
const event: ClusterEvent = { object, type: 'Warning', reason: 'KiamRoleForbidden', message: 'forbidden' };

/** A recorder against an API that holds events as the real one does. */
function create() {
  const clock = createFakeClock();
  const cluster = createFakeCluster({ clock });
  const metrics = createMetrics();
  const log: string[] = [];
  const stored = new Map<string, Record<string, unknown>>();

  function serve({ method, path, body }: FakeRequest): FakeAnswer {
    const fields = body as Record<string, unknown>;
    if (method === 'POST') {
      const { name } = fields.metadata as { name: string };
      if (stored.has(`${path}/${name}`)) return status(409, 'AlreadyExists', 'already exists');
      stored.set(`${path}/${name}`, fields);
      return { kind: 'json', status: 201, body: fields };
    }
    const known = stored.get(path);
    if (method !== 'PATCH' || !known) return status(404, 'NotFound', 'not found');
    stored.set(path, { ...known, ...fields });
    return { kind: 'json', status: 200, body: fields };
  }

  cluster.intercept = serve;
  const recorder = createEventRecorder({
    connection: cluster.connection,
    component: 'podpass.server',
    clock,
    random: createSeededRandom(7),
    logger: createLogger({ level: 'info', json: true, clock, write: (line) => log.push(line) }),
    metrics,
  });

  async function counted(outcome: string, reason = event.reason): Promise<number> {
    const { values } = await metrics.eventsWritten.get();
    return values.find(({ labels }) => labels.outcome === outcome && labels.reason === reason)?.value ?? 0;
  }

  return {
    clock,
    cluster,
    recorder,
    stored,
    log,
    serve,
    counted,
    settle: () => clock.advance(0),
    requests: cluster.requests,
  };
}

describe('an event', () => {
  it('is written as client-go writes it', async () => {
    const { recorder, settle, requests } = create();
    recorder.record(event);
    await settle();
    assert.equal(requests.length, 1);
    const [{ method, path, body }] = requests as [FakeRequest];
    assert.equal(`${method} ${path}`, 'POST /api/v1/namespaces/team/events');
    const { metadata, ...fields } = body as { metadata: { name: string; namespace: string } };
    assert.match(metadata.name, /^web-0\.[0-9a-f]{16}$/);
    assert.equal(metadata.namespace, 'team');
    assert.deepEqual(fields, {
      apiVersion: 'v1',
      kind: 'Event',
      involvedObject: object,
      type: 'Warning',
      reason: 'KiamRoleForbidden',
      message: 'forbidden',
      count: 1,
      firstTimestamp: '2026-01-01T00:00:00Z',
      lastTimestamp: '2026-01-01T00:00:00Z',
      source: { component: 'podpass.server' },
      reportingComponent: 'podpass.server',
      reportingInstance: '',
    });
  });

  it('that repeats becomes a count and a time on the one that is there', async () => {
    const { clock, recorder, settle, requests, stored, counted } = create();
    recorder.record(event);
    await clock.advance(5_000);
    recorder.record(event);
    await settle();
    recorder.record(event);
    await settle();
    assert.deepEqual(
      requests.map(({ method }) => method),
      ['POST', 'PATCH', 'PATCH'],
    );
    assert.deepEqual(requests[2]?.body, {
      count: 3,
      lastTimestamp: '2026-01-01T00:00:05Z',
      message: 'forbidden',
    });
    assert.equal(stored.size, 1);
    assert.equal(await counted('written'), 1);
    assert.equal(await counted('aggregated'), 2);
  });

  it('that repeats in a burst costs one write', async () => {
    const { recorder, settle, requests, stored, counted } = create();
    for (let turn = 0; turn < 20; turn += 1) recorder.record(event);
    await settle();
    assert.ok(requests.length <= 2, `${requests.length} requests`);
    assert.equal([...stored.values()][0]?.count, 20);
    assert.equal((await counted('written')) + (await counted('aggregated')), 20);
  });

  it('has its message in one line of at most 1,024 bytes', async () => {
    const { recorder, settle, stored } = create();
    recorder.record({ ...event, message: `a\nb\u001b[31m${'ä'.repeat(2_000)}` });
    await settle();
    const message = String([...stored.values()][0]?.message);
    assert.match(message, /^a b \[31mä+$/);
    assert.ok(Buffer.byteLength(message) <= 1_024);
  });

  it('of an object without a namespace goes to default', async () => {
    const { recorder, settle, requests } = create();
    recorder.record({ ...event, object: { ...object, kind: 'Node', namespace: '' } });
    await settle();
    assert.equal(requests[0]?.path, '/api/v1/namespaces/default/events');
  });

  it('of a name or namespace with odd characters stays in its place', async () => {
    const { recorder, settle, requests } = create();
    recorder.record({ ...event, object: { ...object, namespace: '../../x?y', name: '../pods' } });
    await settle();
    assert.equal(requests[0]?.path, '/api/v1/namespaces/..%2F..%2Fx%3Fy/events');
  });

  it('is one of many of its kind: the eleventh different message and those after are combined', async () => {
    const { recorder, settle, stored } = create();
    for (let index = 0; index < 14; index += 1) {
      recorder.record({ ...event, message: `message ${index}` });
      await settle();
    }
    const combined = [...stored.values()].filter(({ message }) => String(message).startsWith('(combined'));
    assert.equal(stored.size, 11);
    assert.equal(combined.length, 1);
    assert.equal(combined[0]?.count, 4);
    assert.equal(combined[0]?.message, '(combined from similar events): message 13');
  });

  it('beyond the budget of its object is dropped, and counts on the next that is written', async () => {
    const { clock, recorder, settle, requests, counted } = create();
    for (let turn = 0; turn < 30; turn += 1) {
      recorder.record(event);
      await settle();
    }
    assert.equal(requests.length, 25);
    assert.equal(await counted('dropped'), 5);
    await clock.advance(300_000);
    recorder.record(event);
    await settle();
    assert.equal(requests.length, 26);
  });
});

describe('an event that cannot be written', () => {
  it('waits while the API server is away, and is written when it is back', async () => {
    const { clock, cluster, recorder, serve, stored, requests, counted } = create();
    cluster.intercept = () => ({ kind: 'unreachable', message: 'away' });
    recorder.record(event);
    await clock.advance(2_500);
    recorder.record(event);
    cluster.intercept = serve;
    await clock.advance(10_000);
    assert.equal([...stored.values()][0]?.count, 2);
    assert.ok(requests.length <= 5);
    assert.equal(await counted('written'), 1);
    assert.equal(await counted('aggregated'), 1);
    assert.equal(await counted('failed'), 0);
  });

  it('is given up after eight attempts', async () => {
    const { clock, cluster, recorder, requests, counted, log } = create();
    cluster.intercept = () => status(503, 'ServiceUnavailable', 'busy');
    recorder.record(event);
    await clock.advance(3_600_000);
    assert.equal(requests.length, 8);
    assert.equal(await counted('failed'), 1);
    assert.equal(log.length, 1);
    assert.equal(clock.pending, 0);
  });

  for (const [code, often, millis] of [
    [400, 'once a minute', 60_000],
    [403, 'once a day', 86_400_000],
    [404, 'once a minute', 60_000],
    [422, 'once a minute', 60_000],
  ] as const) {
    it(`because of ${code} is given up at once, and logged ${often}`, async () => {
      const { clock, cluster, recorder, settle, requests, counted, log } = create();
      cluster.intercept = () => status(code, 'Forbidden', 'events is forbidden');
      recorder.record(event);
      await settle();
      recorder.record({ ...event, message: 'other' });
      await settle();
      assert.equal(requests.length, 2);
      assert.equal(await counted('failed'), 2);
      assert.equal(log.length, 1);
      assert.match(log[0] ?? '', /events is forbidden/);
      for (const [pause, lines] of [
        [millis - 1, 1],
        [1, 2],
      ] as const) {
        await clock.advance(pause);
        recorder.record({ ...event, message: `after ${pause}` });
        await settle();
        assert.equal(log.length, lines);
      }
      // Those that were not logged are counted.
      assert.match(log[1] ?? '', /"failures":3/);
    });
  }

  it('because the API server has forgotten it is written anew with its count', async () => {
    const { recorder, settle, requests, stored } = create();
    recorder.record(event);
    await settle();
    stored.clear();
    recorder.record(event);
    await settle();
    assert.deepEqual(
      requests.map(({ method }) => method),
      ['POST', 'PATCH', 'POST'],
    );
    assert.equal([...stored.values()][0]?.count, 2);
  });

  it('because an earlier answer was lost is found to be there', async () => {
    const { clock, cluster, recorder, serve, requests, stored } = create();
    cluster.intercept = (request) => {
      serve(request);
      cluster.intercept = serve;
      return { kind: 'unreachable', message: 'the answer was lost' };
    };
    recorder.record(event);
    await clock.advance(5_000);
    assert.deepEqual(
      requests.map(({ method }) => method),
      ['POST', 'POST', 'PATCH'],
    );
    assert.equal(stored.size, 1);
  });

  it('does not let the queue grow without bound', async () => {
    const { cluster, recorder, settle, counted, clock } = create();
    cluster.intercept = () => ({ kind: 'hang' });
    for (let index = 0; index < 1_500; index += 1) {
      recorder.record({ ...event, object: { ...object, uid: `u${index}` } });
    }
    await settle();
    // A thousand wait, one is being written.
    assert.equal(await counted('dropped'), 499);
    const closing = recorder.close(1_000);
    await clock.advance(1_000);
    await closing;
    assert.equal(await counted('failed'), 1_001);
  });
});

describe('a recorder that is closed', () => {
  it('writes what is noted first, and takes no more', async () => {
    const { recorder, stored, counted } = create();
    for (let index = 0; index < 5; index += 1) recorder.record({ ...event, message: `m${index}` });
    await recorder.close(5_000);
    assert.equal(stored.size, 5);
    recorder.record(event);
    assert.equal(await counted('dropped'), 1);
    assert.equal(stored.size, 5);
  });

  it('waits no longer than it is given', async () => {
    const { clock, cluster, recorder, counted } = create();
    cluster.intercept = () => ({ kind: 'hang' });
    recorder.record(event);
    let closed = false;
    const closing = recorder.close(2_000).then(() => {
      closed = true;
    });
    await clock.advance(1_999);
    assert.equal(closed, false);
    await clock.advance(1);
    await closing;
    assert.equal(await counted('failed'), 1);
    assert.equal(clock.pending, 0);
  });

  it('tries what waits for a better moment once more, now', async () => {
    const { clock, cluster, recorder, serve, stored } = create();
    cluster.intercept = () => ({ kind: 'unreachable', message: 'away' });
    recorder.record(event);
    await clock.advance(100);
    cluster.intercept = serve;
    await recorder.close(1_000);
    assert.equal(stored.size, 1);
    assert.equal(clock.pending, 0);
  });

  it('gives up when that fails, without waiting', async () => {
    const { cluster, recorder, counted, clock } = create();
    cluster.intercept = () => ({ kind: 'unreachable', message: 'away' });
    for (let index = 0; index < 3; index += 1) recorder.record({ ...event, message: `m${index}` });
    await recorder.close(1_000);
    assert.equal(await counted('failed'), 3);
    assert.equal(clock.pending, 0);
  });

  it('may be closed twice, and with nothing to do', async () => {
    const { recorder, clock } = create();
    await recorder.close(1_000);
    await recorder.close(1_000);
    assert.equal(clock.pending, 0);
  });
});

describe('recording', () => {
  it('never throws, whatever it is given', async () => {
    const { recorder, log } = create();
    recorder.record({ ...event, message: undefined } as unknown as ClusterEvent);
    recorder.record(undefined as unknown as ClusterEvent);
    assert.equal(log.filter((line) => line.includes('This is a defect in podpass')).length, 2);
  });
});
