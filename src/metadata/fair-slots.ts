/** A number of places, shared among those who want them. */
export interface FairSlots {
  /**
   * Resolves as soon as there is a place. It is given back when the signal aborts, which every holder sees to in the
   * end; who is still waiting then is rejected with its reason.
   */
  take(who: string, signal: AbortSignal): Promise<void>;
}

interface Party {
  held: number;
  readonly waiting: Set<() => void>;
}

/**
 * No party has more than `each` of `total` places, and whoever waits is served in turn, party by party: one that asks
 * a thousand times keeps another waiting for one place at most.
 */
export function createFairSlots({
  total,
  each,
}: {
  readonly total: number;
  readonly each: number;
}): FairSlots {
  // In the order in which it is their turn.
  const parties = new Map<string, Party>();
  let free = total;

  function serve(): void {
    for (const [who, party] of parties) {
      if (free === 0) return;
      const [next] = party.waiting;
      if (next === undefined || party.held >= each) continue;
      party.waiting.delete(next);
      free -= 1;
      party.held += 1;
      // To the end of the line, where this loop comes by again.
      parties.delete(who);
      parties.set(who, party);
      next();
    }
  }

  function giveBack(who: string, party: Party): void {
    free += 1;
    party.held -= 1;
    forget(who, party);
    serve();
  }

  function forget(who: string, party: Party): void {
    if (party.held === 0 && party.waiting.size === 0) parties.delete(who);
  }

  return {
    async take(who, signal) {
      signal.throwIfAborted();
      const party = parties.get(who) ?? { held: 0, waiting: new Set() };
      parties.set(who, party);
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      signal.addEventListener(
        'abort',
        () => {
          if (!party.waiting.delete(resolve)) return giveBack(who, party);
          forget(who, party);
          reject(signal.reason);
        },
        { once: true },
      );
      party.waiting.add(resolve);
      serve();
      return promise;
    },
  };
}
