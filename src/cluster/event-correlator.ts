import { hash } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import { createLruMap } from './lru-map.ts';

/** The object that an event is about. */
export interface EventObject {
  readonly apiVersion: string;
  readonly kind: string;
  /** Empty for objects that have no namespace; their events go to `default`. */
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** Something that happened to an object of the cluster, for whoever runs `kubectl describe` on it. */
export interface ClusterEvent {
  readonly object: EventObject;
  readonly type: 'Warning' | 'Normal';
  /** `KiamRoleForbidden`: a word from podpass's own list, never from users. */
  readonly reason: string;
  readonly message: string;
}

/** What is to be done with an event: into which series it goes, and under which message, or nothing. */
export type Correlation =
  | { readonly kind: 'series'; readonly key: string; readonly message: string }
  | { readonly kind: 'dropped' };

/** client-go's: an object may cause 25 writes at once, then one in five minutes. */
const burst = 25;
const refillMillis = 300_000;
/** client-go's: more than ten different messages of one reason within ten minutes go into one series. */
const maxDifferent = 10;
const similarMillis = 600_000;
/** client-go's: so many objects and reasons are remembered. */
const maxRemembered = 4_096;
/** client-go's words. */
const combinedPrefix = '(combined from similar events): ';

interface Bucket {
  tokens: number;
  refilledAt: number;
}

interface Similar {
  messages: Set<string>;
  lastAt: number;
}

/**
 * Decides as client-go's event correlator does, so that podpass loads the API server no more than any controller:
 * the same thing again goes into the same series (a count, not another object), many similar things go into one, and
 * each object has a budget of writes.
 *
 * @returns what to do with an event. Asking counts: ask once for each.
 */
export function createEventCorrelator(clock: Clock): (event: ClusterEvent) => Correlation {
  const buckets = createLruMap<string, Bucket>(maxRemembered);
  const similar = createLruMap<string, Similar>(maxRemembered);

  function mayWrite(object: string): boolean {
    const now = clock.monotonic();
    let bucket = buckets.get(object);
    if (!bucket) {
      bucket = { tokens: burst, refilledAt: now };
      buckets.set(object, bucket);
    }
    bucket.tokens = Math.min(burst, bucket.tokens + (now - bucket.refilledAt) / refillMillis);
    bucket.refilledAt = now;
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  /** Whether the message is one too many for its object and reason. */
  function isCombined(group: string, message: string): boolean {
    const now = clock.monotonic();
    let entry = similar.get(group);
    if (!entry || now - entry.lastAt > similarMillis) {
      entry = { messages: new Set(), lastAt: now };
      similar.set(group, entry);
    }
    entry.lastAt = now;
    if (entry.messages.has(message)) return false;
    if (entry.messages.size >= maxDifferent) return true;
    entry.messages.add(message);
    return false;
  }

  return ({ object, type, reason, message }) => {
    const about = digest([object.apiVersion, object.kind, object.namespace, object.name, object.uid]);
    const group = digest([about, type, reason]);
    const series = digest([group, message]);
    const combined = isCombined(group, series);
    if (!mayWrite(about)) return { kind: 'dropped' };
    if (combined) return { kind: 'series', key: group, message: combinedPrefix + message };
    return { kind: 'series', key: series, message };
  };
}

/** A short key for what may be long: users write names and messages, and thousands of keys are remembered. */
function digest(parts: readonly string[]): string {
  return hash('sha256', JSON.stringify(parts), 'base64url');
}
