import type { PodView } from '../broker/broker.ts';
import { minimumValidMillis } from '../credentials/refresh-schedule.ts';

/**
 * Milliseconds for which the credentials of a pod may still be served, whatever the wall clock says; infinite for none.
 * One that was set back would have what has expired served, if no server is there to take it back.
 *
 * @param now monotonic milliseconds
 */
export function millisLeftByAge({ session }: PodView, now: number): number {
  if (session.kind !== 'issued') return Number.POSITIVE_INFINITY;
  return session.credentials.goodUntil - minimumValidMillis - now;
}

/** A pod whose credentials are too old. */
export function withoutCredentials(view: PodView): PodView {
  if (view.session.kind !== 'issued') return view;
  return { ...view, session: { kind: 'unavailable', ...(view.session.problem ?? tooOld) } };
}

const tooOld = {
  code: 'ExpiredCredentials',
  message: 'the last credentials have lived as long as they could, and no newer ones have arrived',
};
