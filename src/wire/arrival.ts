import type { PodView } from '../broker/broker.ts';
import { minimumValidMillis } from '../credentials/refresh-schedule.ts';

/** When the credentials of a pod came to this process. */
export interface Arrival {
  readonly accessKeyId: string;
  /** Monotonic milliseconds. The same for as long as they are the same credentials, however often they are told. */
  readonly at: number;
}

/** @param now monotonic milliseconds */
export function arrivalOf(
  { session }: PodView,
  known: Arrival | undefined,
  now: number,
): Arrival | undefined {
  if (session.kind !== 'issued') return known;
  const { accessKeyId } = session.credentials;
  return known?.accessKeyId === accessKeyId ? known : { accessKeyId, at: now };
}

/**
 * Milliseconds for which the credentials of a pod may still be served by their age; infinite for none. They cannot live
 * longer after they came than they do in all, whatever the wall clock says: one that was set back would have what has
 * expired served, if no server is there to take it back.
 *
 * @param now monotonic milliseconds
 */
export function millisLeftByAge({ session }: PodView, arrival: Arrival | undefined, now: number): number {
  if (session.kind !== 'issued' || !arrival) return Number.POSITIVE_INFINITY;
  const { expiration, issuedAt } = session.credentials;
  return arrival.at + expiration - issuedAt - minimumValidMillis - now;
}

/** A pod whose credentials are too old. */
export function withoutCredentials(view: PodView): PodView {
  if (view.session.kind !== 'issued') return view;
  return { ...view, session: { kind: 'unavailable', ...(view.session.problem ?? tooOld) } };
}

const tooOld = {
  code: 'ExpiredCredentials',
  message: 'the last credentials have lived their life since they came, and no newer ones have arrived',
};
