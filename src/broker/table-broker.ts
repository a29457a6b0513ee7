import type { Clock } from '../base/clock.ts';
import { minimumValidMillis } from '../credentials/refresh-schedule.ts';
import { canonicalAddress } from '../identity/address.ts';
import { answerFor, isConclusive } from './answer.ts';
import type { Answer, Broker, PatientOptions, PodView } from './broker.ts';
import type { PodTable } from './pod-table.ts';
import { waitForAddress } from './wait-for-address.ts';

export interface TableBrokerOptions {
  readonly table: Pick<PodTable, 'find' | 'onAddress'>;
  readonly clock: Clock;
  /**
   * Looks elsewhere for the pod that owns an address which the table does not know, and puts it into the table. An
   * agent asks its server. Bounded by the signal; rejections are the callee's to report.
   */
  readonly locate?: (address: string, waitMillis: number, signal: AbortSignal) => Promise<void>;
  /** Told of a pod whose credentials are wanted and not there. A server that does not feed the pod's node fetches them. */
  readonly wanted?: (view: PodView) => void;
}

/** The broker over a table of pods: the same for a server, an agent and a standalone node. */
export function createTableBroker({ table, clock, locate, wanted }: TableBrokerOptions): Broker {
  /** An answer is made once for each view. Views are replaced, never changed. */
  const answers = new WeakMap<PodView, Answer>();

  function answerOf(view: PodView): Answer {
    const now = clock.now();
    const known = answers.get(view);
    if (known && (known.kind !== 'credentials' || known.credentials.expiration - now >= minimumValidMillis))
      return known;
    const answer = answerFor(view, now);
    // That credentials have expired holds by the clock as it is now: it may be set back, and then they have not.
    const hasExpired = answer.kind === 'unavailable' && view.session.kind === 'issued';
    if (!hasExpired) answers.set(view, answer);
    return answer;
  }

  function ask(address: string): Answer {
    const canonical = canonicalAddress(address);
    if (canonical === undefined) return { kind: 'unknown', address };
    const found = table.find(canonical);
    switch (found.kind) {
      case 'found':
        return answerOf(found.item);
      case 'ambiguous':
        return { kind: 'ambiguous', address: canonical, claimants: found.items };
      case 'unknown':
        return { kind: 'unknown', address: canonical };
    }
  }

  function want(address: string): void {
    const found = table.find(address);
    if (found.kind === 'found') wanted?.(found.item);
  }

  async function askPatiently(address: string, options: PatientOptions): Promise<Answer> {
    const first = ask(address);
    const target = options.for ?? 'credentials';
    const canonical = canonicalAddress(address);
    if (canonical === undefined || isConclusive(first, target)) return first;

    const { waitMillis, signal } = options;
    const lookup = new AbortController();
    if (first.kind === 'unknown') void locate?.(canonical, waitMillis, lookup.signal);
    const isDone = () => {
      const answer = ask(canonical);
      if (answer.kind === 'pending') want(canonical);
      return isConclusive(answer, target);
    };
    try {
      await waitForAddress({ table, clock, address: canonical, waitMillis, signal, isDone });
    } finally {
      lookup.abort();
    }
    return ask(canonical);
  }

  return { ask, askPatiently };
}
