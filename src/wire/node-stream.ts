import type { Clock } from '../base/clock.ts';
import type { PodView } from '../broker/broker.ts';
import type { SeenVersions } from '../broker/currency.ts';
import type { NodeListener } from '../broker/node-feed.ts';
import { podToMessage } from './convert.ts';
import type { NodeEvent } from './gen/podpass.ts';

/** Where a stream's messages go. `write` says whether it will take another now; `onDrain` when it will again. */
export interface MessageWriter {
  write(event: NodeEvent): boolean;
  onDrain(fn: () => void): void;
}

/** What is to be sent of one pod: its latest state, or that it is gone. */
type Pending = PodView | 'removed';

/**
 * Sends a node's pods as fast as the agent takes them. While it takes nothing, only the latest state of each pod is
 * kept, so a slow agent costs memory for the pods that changed and never for the number of changes.
 *
 * Each message that comes after news says how far the news go, so that the agent never goes by a server that knows less.
 *
 * @param limit how many changed pods to keep for an agent that does not read, before `overflow` gives up on it
 */
export function createNodeStream(
  clock: Pick<Clock, 'monotonic'>,
  writer: MessageWriter,
  limit: number,
  overflow: () => void,
  seen: () => SeenVersions | undefined = () => undefined,
): NodeListener {
  /** In the order of the last change: an address's old owner goes out before its new one comes. */
  const pending = new Map<string, Pending>();
  let syncedIsDue = false;
  let blocked = false;
  let told: SeenVersions | undefined;

  function put(uid: string, what: Pending): void {
    pending.delete(uid);
    if (pending.size >= limit) {
      overflow();
      return;
    }
    pending.set(uid, what);
    pump();
  }

  function send(event: NodeEvent['event']): void {
    const now = seen();
    blocked = !writer.write({ event, seen: now === told ? undefined : now });
    told = now;
  }

  function pump(): void {
    for (const [uid, what] of pending) {
      if (blocked) return;
      pending.delete(uid);
      send(
        what === 'removed'
          ? { $case: 'removedUid', value: uid }
          : { $case: 'pod', value: podToMessage(what, clock.monotonic()) },
      );
    }
    if (!blocked && syncedIsDue) {
      syncedIsDue = false;
      send({ $case: 'synced', value: {} });
    }
  }

  writer.onDrain(() => {
    blocked = false;
    pump();
  });

  return {
    pod: (view) => put(view.uid, view),
    removed: (uid) => put(uid, 'removed'),
    synced() {
      syncedIsDue = true;
      pump();
    },
  };
}
