import type { PodView } from '../broker/broker.ts';

/**
 * What an agent makes of a pod's state when it comes from another server than before: where that server has no
 * credentials for the pod (yet, or because it cannot reach STS), those that the last one gave stay, for as long as they
 * are good. What AWS issued is valid whatever becomes of a server.
 *
 * Only where it is the same session by all that an agent can tell: not where there is an external id, which it is never
 * told.
 */
export function carryCredentials(held: PodView, told: PodView): PodView {
  const { session } = held;
  if (session.kind !== 'issued' || told.session.kind === 'issued' || !isSameSession(held, told)) return told;
  const problem =
    told.session.kind === 'pending'
      ? session.problem
      : { code: told.session.code, message: told.session.message };
  return {
    ...told,
    session: { kind: 'issued', credentials: session.credentials, ...(problem && { problem }) },
  };
}

function isSameSession({ decision: a }: PodView, { decision: b }: PodView): boolean {
  return (
    a.kind === 'granted' &&
    b.kind === 'granted' &&
    a.role.arn === b.role.arn &&
    a.session.sessionName === b.session.sessionName &&
    !a.session.hasExternalId &&
    !b.session.hasExternalId
  );
}
