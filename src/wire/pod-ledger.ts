import type { Clock, Timer } from '../base/clock.ts';
import type { PodView } from '../broker/broker.ts';
import type { PodSink } from '../broker/node-feed.ts';
import { carryCredentials } from './carry-credentials.ts';
import { millisLeftByAge, withoutCredentials } from './credential-age.ts';

/** What an agent holds, and how it knows. */
export interface PodLedger {
  /** A stream opened: what it tells until `synced` is the whole state. What is held from before stays until then. */
  begin(): void;
  upsert(view: PodView): void;
  remove(uid: string): void;
  /** Removes what neither this stream nor a search since it opened has told of. */
  synced(): void;
  /** The stream broke. Everything is kept. */
  broke(): void;
  /** A search begins: `found` wants what this returns, and `end` is called in any case. */
  search(): Search;
  /** Sets no more timers. */
  close(): void;
}

export interface Search {
  /** What the search came to. What the stream told in the meantime is newer and wins. */
  found(views: readonly PodView[]): void;
  end(): void;
}

interface Held {
  readonly view: PodView;
  /** Its credentials are those of an earlier stream. */
  readonly isCarried: boolean;
  /** Runs until its credentials are too old. */
  readonly aging: Timer | undefined;
  /** The stream that told of it, or during which it was found. */
  round: number;
  /** Runs while only a search knows of the pod. */
  unconfirmed: Timer | undefined;
}

/**
 * Keeps account of the pods an agent was told of, so that one that vanished while nobody was listening does not stay
 * for ever: not when a stream breaks in between, and not when a search finds a pod that the stream never tells of.
 *
 * @param confirmMillis how long a found pod is held without the stream having told of it
 */
export function createPodLedger(into: PodSink, clock: Clock, confirmMillis = 60_000): PodLedger {
  const held = new Map<string, Held>();
  /** UIDs removed while a search is under way, with the number of the removal. */
  const removals = new Map<string, number>();
  let removalCount = 0;
  let searches = 0;
  let round = 0;
  let inSync = false;

  function drop(uid: string): void {
    const known = held.get(uid);
    if (!known) return;
    known.unconfirmed?.cancel();
    known.aging?.cancel();
    held.delete(uid);
    into.remove(uid);
  }

  function hold(told: PodView, unconfirmed: Timer | undefined): void {
    const known = held.get(told.uid);
    known?.unconfirmed?.cancel();
    known?.aging?.cancel();
    // On one stream the server knows best. A server that has just been gone to may have none to give yet.
    const mayCarry = known !== undefined && (known.round !== round || known.isCarried);
    const best = mayCarry ? carryCredentials(known.view, told) : told;
    const left = millisLeftByAge(best, clock.monotonic());
    const view = left > 0 ? best : withoutCredentials(best);
    const aging = view.session.kind === 'issued' ? clock.setTimer(left, () => onAged(view.uid)) : undefined;
    held.set(view.uid, { view, isCarried: best !== told, aging, round, unconfirmed });
    into.upsert(view);
  }

  function onAged(uid: string): void {
    const known = held.get(uid);
    if (!known) return;
    const view = withoutCredentials(known.view);
    held.set(uid, { ...known, view, aging: undefined });
    into.upsert(view);
  }

  function onUnconfirmed(uid: string): void {
    if (inSync) {
      drop(uid);
      return;
    }
    // Nothing is dropped while no server can be asked; the next full state decides.
    const known = held.get(uid);
    if (known) held.set(uid, { ...known, round: -1, unconfirmed: undefined });
  }

  return {
    begin() {
      round += 1;
      inSync = false;
    },
    upsert: (view) => hold(view, undefined),
    remove(uid) {
      removalCount += 1;
      if (searches > 0) removals.set(uid, removalCount);
      drop(uid);
    },
    synced() {
      for (const [uid, { round: told }] of [...held]) if (told !== round) drop(uid);
      inSync = true;
      into.synced();
    },
    broke() {
      inSync = false;
    },
    search() {
      const begun = removalCount;
      searches += 1;
      return {
        found(views) {
          for (const view of views) {
            const known = held.get(view.uid);
            const isStreamed = known?.round === round && !known.unconfirmed;
            if (isStreamed || (removals.get(view.uid) ?? 0) > begun) continue;
            hold(
              view,
              clock.setTimer(confirmMillis, () => onUnconfirmed(view.uid)),
            );
          }
        },
        end() {
          searches -= 1;
          if (searches === 0) removals.clear();
        },
      };
    },
    close() {
      for (const { unconfirmed, aging } of held.values()) {
        unconfirmed?.cancel();
        aging?.cancel();
      }
    },
  };
}
