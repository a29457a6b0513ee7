import { createBackoff } from '../base/backoff.ts';
import { bounded } from '../base/bounded.ts';
import { type Clock, sleep } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Random } from '../base/random.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import {
  type ClusterConnection,
  describeFailure,
  type JsonOutcome,
  type RequestFailure,
} from './connection.ts';
import { type ClusterEvent, createEventCorrelator } from './event-correlator.ts';
import { eventMessage, eventName, eventTime } from './event-text.ts';
import { createLruMap } from './lru-map.ts';
import { createOccasion } from './occasion.ts';

export interface EventRecorder {
  /** Notes an event and returns at once. Never throws; what cannot be written is counted and let go. */
  record(event: ClusterEvent): void;
  /** Takes no more events, and waits at most `timeoutMillis` for those noted to be written. Never rejects. */
  close(timeoutMillis: number): Promise<void>;
}

export interface EventRecorderOptions {
  readonly connection: ClusterConnection;
  /** Who says it: `podpass.server`. */
  readonly component: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** The same thing happening again and again: one object of the API, with a count. */
interface Series {
  readonly event: ClusterEvent;
  message: string;
  name: string;
  /** Whether the API server has it, as far as is known. */
  exists: boolean;
  count: number;
  /** Events noted since the last write; each is counted in the metric once the write has an outcome. */
  unwritten: number;
  attempts: number;
  readonly firstAt: number;
  lastAt: number;
}

/** client-go's. */
const maxSeries = 4_096;
/** Series that wait to be written. */
const maxQueued = 1_000;
const maxAttempts = 8;
const writeMillis = 10_000;
const backoffBounds = { initial: 1_000, max: 60_000 };
const failureLogMillis = 60_000;
/** Events are an extra: that somebody does without the right to write them is to be said, and not to be nagged about. */
const refusalLogMillis = 86_400_000;

/**
 * Writes core/v1 events on objects of the cluster. It needs the rights to create and patch events.
 *
 * Writes happen one after the other in the background. Events of a series that are noted while it waits go out with
 * it, so a burst costs one write. While the API server is away the queue waits, bounded, and is tried with back-off.
 */
export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { connection, component, clock, random, logger, metrics } = options;
  const correlate = createEventCorrelator(clock);
  const known = createLruMap<string, Series>(maxSeries);
  /** Series with unwritten events, in the order in which they are written. */
  const queue = new Map<string, Series>();
  const backoff = createBackoff(backoffBounds, random);
  const mayLogFailure = createOccasion(clock, failureLogMillis);
  const mayLogRefusal = createOccasion(clock, refusalLogMillis);
  const stopping = new AbortController();
  const hurry = new AbortController();
  let closed = false;
  let writing = false;
  let written: Promise<void> = Promise.resolve();

  function note(event: ClusterEvent): void {
    const correlation = closed ? undefined : correlate(event);
    if (correlation?.kind !== 'series') {
      drop(event);
      return;
    }
    const { key, message } = correlation;
    const series = queue.get(key) ?? known.get(key) ?? begin(event, key);
    // A series that has no room in the queue counts on: the next write of it has the whole count.
    series.count += 1;
    if (!queue.has(key) && queue.size >= maxQueued) {
      drop(event);
      return;
    }
    series.message = eventMessage(message);
    series.lastAt = clock.now();
    series.unwritten += 1;
    queue.set(key, series);
    if (writing) return;
    writing = true;
    written = writeAll();
  }

  function begin(event: ClusterEvent, key: string): Series {
    const now = clock.now();
    const name = eventName(event.object.name, random);
    const times = { firstAt: now, lastAt: now };
    const series = { event, message: '', name, exists: false, count: 0, unwritten: 0, attempts: 0, ...times };
    known.set(key, series);
    return series;
  }

  function drop({ reason }: ClusterEvent): void {
    metrics.eventsWritten.inc({ reason, outcome: 'dropped' });
  }

  async function writeAll(): Promise<void> {
    // What is added during the loop comes up in it.
    for (const [key, series] of queue) {
      queue.delete(key);
      if (await write(key, series)) backoff.reset();
      else if (!closed) await sleep(clock, backoff.next(), hurry.signal).catch(() => undefined);
    }
    writing = false;
  }

  /** One attempt. False when the API server could not take it now; the series then waits at the end of the queue. */
  async function write(key: string, series: Series): Promise<boolean> {
    const { unwritten } = series;
    series.unwritten = 0;
    series.attempts += 1;
    const outcome = await send(series).catch(
      (thrown: unknown): JsonOutcome => ({ kind: 'unreachable', message: messageOf(thrown) }),
    );
    if (outcome.kind === 'ok') {
      settle(series, series.exists ? 'aggregated' : 'written', unwritten);
      series.exists = true;
      series.attempts = 0;
      return true;
    }
    const verdict = judge(outcome, series.exists);
    if (verdict === 'refused' || series.attempts >= maxAttempts || stopping.signal.aborted) {
      logFailure(series, outcome);
      settle(series, 'failed', unwritten);
      series.attempts = 0;
      return verdict === 'refused';
    }
    if (verdict === 'mistaken') series.exists = !series.exists;
    else if (closed) {
      // There is no time left to wait for a better moment.
      settle(series, 'failed', unwritten);
      return false;
    }
    series.unwritten += unwritten;
    queue.set(key, series);
    return verdict === 'mistaken';
  }

  function settle(series: Series, outcome: 'written' | 'aggregated' | 'failed', events: number): void {
    const { reason } = series.event;
    // The first of a series makes the object; those that came with it are counted on it.
    const own = outcome === 'written' ? 1 : events;
    metrics.eventsWritten.inc({ reason, outcome }, own);
    if (events > own) metrics.eventsWritten.inc({ reason, outcome: 'aggregated' }, events - own);
  }

  function logFailure({ event: { object, reason } }: Series, outcome: RequestFailure): void {
    const isForbidden = outcome.kind === 'status' && outcome.status === 403;
    const occasion = isForbidden ? mayLogRefusal() : mayLogFailure();
    if (!occasion) return;
    const problem = describeFailure(outcome);
    const fields = { kind: object.kind, namespace: object.namespace, name: object.name, reason, problem };
    logger.warn({ ...fields, failures: occasion.since }, 'a Kubernetes event could not be written');
  }

  function send(series: Series): Promise<JsonOutcome> {
    const { object, type, reason } = series.event;
    const namespace = object.namespace || 'default';
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/events`;
    const common = { timeoutMillis: writeMillis, signal: stopping.signal };
    const { count, message } = series;
    const lastTimestamp = eventTime(series.lastAt);
    if (series.exists) {
      return connection.requestJson({
        ...common,
        method: 'PATCH',
        path: `${path}/${encodeURIComponent(series.name)}`,
        contentType: 'application/strategic-merge-patch+json',
        body: { count, lastTimestamp, message },
      });
    }
    return connection.requestJson({
      ...common,
      method: 'POST',
      path,
      body: {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: series.name, namespace },
        involvedObject: object,
        type,
        reason,
        message,
        count,
        firstTimestamp: eventTime(series.firstAt),
        lastTimestamp,
        source: { component },
        reportingComponent: component,
        reportingInstance: '',
      },
    });
  }

  return {
    record(event) {
      try {
        note({ ...event, message: eventMessage(event.message) });
      } catch (thrown) {
        logger.error(
          { error: messageOf(thrown) },
          'an event could not be noted. This is a defect in podpass',
        );
      }
    },
    async close(timeoutMillis) {
      closed = true;
      // Whoever waits for a better moment has none left.
      hurry.abort();
      await bounded(clock, timeoutMillis, new AbortController().signal, () => written).catch(() => undefined);
      stopping.abort(new DOMException('the event recorder was closed', 'AbortError'));
      await written.catch(() => undefined);
    },
  };
}

/**
 * `mistaken`: it does not exist any more (the API server forgets events after an hour), or it does exist already (an
 * earlier write arrived, and its answer did not). `later`: the API server cannot now. `refused`: it never will.
 */
function judge(outcome: RequestFailure, exists: boolean): 'mistaken' | 'later' | 'refused' {
  if (outcome.kind !== 'status') return 'later';
  const { status } = outcome;
  if (status === (exists ? 404 : 409)) return 'mistaken';
  return status === 401 || status === 429 || status >= 500 ? 'later' : 'refused';
}
