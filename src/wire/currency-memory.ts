import type { Clock } from '../base/clock.ts';
import type { CurrencyRequirement, SeenVersions } from '../broker/currency.ts';
import { newerResourceVersion } from '../cluster/resource-version.ts';

/** What an agent has been told, and so what it asks of the next server: never to be taken back in time. */
export interface CurrencyMemory {
  /** A server has taken in so much. */
  note(versions: SeenVersions): void;
  /** What the next server has to know. */
  requirement(inTouch: boolean): CurrencyRequirement;
  /** A server was refused for knowing less. */
  refused(): void;
  /** A server is gone by. */
  accepted(): void;
}

/**
 * A watch that was cut off without a word is found out after three minutes, and then lists. If all servers know less for
 * longer than that, it is the cluster that went back, as one that was restored from a backup does.
 */
const patienceMillis = 300_000;

const nothing: SeenVersions = { pods: '', namespaces: '' };

export function createCurrencyMemory(clock: Clock): CurrencyMemory {
  let seen = nothing;
  let refusedSince: number | undefined;

  return {
    note({ pods, namespaces }) {
      seen = { pods: newer(seen.pods, pods), namespaces: newer(seen.namespaces, namespaces) };
    },
    requirement(inTouch) {
      if (refusedSince !== undefined && clock.monotonic() - refusedSince >= patienceMillis) seen = nothing;
      return { inTouch, seen };
    },
    refused() {
      refusedSince ??= clock.monotonic();
    },
    accepted() {
      refusedSince = undefined;
    },
  };
}

function newer(known: string, told: string): string {
  if (known === '' || told === '') return told || known;
  return newerResourceVersion(known, told);
}
