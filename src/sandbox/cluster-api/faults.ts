import { type Clock, sleep } from '../../base/clock.ts';
import { refused, type Status } from './status.ts';

/** Which requests a fault is for. `path` has no query. */
export type RequestFilter = (request: { readonly method: string; readonly path: string }) => boolean;

/** How a WatchList request is answered. */
export type WatchListMode =
  | 'serve'
  /** 422, as by a server that does not have the feature. */
  | 'forbid'
  /** A watch that ends at once with an error event, as by a server in front of an etcd that is too old. */
  | 'error-event';

/** Trouble on request, for tests and for people who want to see how podpass takes it. */
export interface Faults {
  /** Answers the next `count` requests with this Status instead. */
  failNext(
    count: number,
    failure: { code: number; reason?: string; message?: string },
    filter?: RequestFilter,
  ): void;
  /** Closes the connection of the next `count` requests without an answer. */
  dropNext(count: number, filter?: RequestFilter): void;
  /** Holds every request that fits for this long before it is worked on. 0 ends it. */
  delay(millis: number, filter?: RequestFilter): void;
  /** Ends every open watch, as a restart of the server does. Returns how many there were. */
  cutWatches(): number;
  /** Makes every resource version handed out so far too old: watches and pages that resume get 410. */
  expireHistory(): void;
  watchList: WatchListMode;
  /** Ends all of it. */
  clear(): void;
}

/** What happens to a request before it is worked on. */
export type Mishap =
  | { readonly kind: 'none' }
  | { readonly kind: 'drop' }
  | { readonly kind: 'fail'; readonly status: Status };

/** The side of the faults that the request handler sees. */
export interface FaultInjector extends Faults {
  /** Waits as long as the delay says, then tells what is to happen. */
  before(request: { method: string; path: string }, signal: AbortSignal): Promise<Mishap>;
  /** Takes an open watch into the books; the result takes it out. */
  watching(cut: () => void): () => void;
}

interface Planned {
  left: number;
  readonly mishap: Mishap;
  readonly filter: RequestFilter;
}

const everything: RequestFilter = () => true;

export function createFaults(clock: Clock, expireHistory: () => void): FaultInjector {
  const cuts = new Set<() => void>();
  let planned: Planned[] = [];
  let delayed: { readonly millis: number; readonly filter: RequestFilter } | undefined;

  return {
    watchList: 'serve',
    failNext(count, { code, reason = 'InternalError', message = 'fault on request' }, filter = everything) {
      planned.push({
        left: count,
        mishap: { kind: 'fail', status: refused(code, reason, message).status },
        filter,
      });
    },
    dropNext(count, filter = everything) {
      planned.push({ left: count, mishap: { kind: 'drop' }, filter });
    },
    delay(millis, filter = everything) {
      delayed = millis > 0 ? { millis, filter } : undefined;
    },
    cutWatches() {
      const open = [...cuts];
      for (const cut of open) cut();
      return open.length;
    },
    expireHistory,
    clear() {
      planned = [];
      delayed = undefined;
      this.watchList = 'serve';
    },
    async before(request, signal) {
      if (delayed?.filter(request)) await sleep(clock, delayed.millis, signal);
      const next = planned.find(({ left, filter }) => left > 0 && filter(request));
      if (!next) return { kind: 'none' };
      next.left -= 1;
      planned = planned.filter(({ left }) => left > 0);
      return next.mishap;
    },
    watching(cut) {
      cuts.add(cut);
      return () => cuts.delete(cut);
    },
  };
}
