import { candidates, owns, permits } from './admissible.ts';
import type { CallFact, FaultFact, History, PodFact, RequestFact, TokenUse } from './history.ts';
import { describe } from './served.ts';
import { isSettled } from './settled.ts';
import type { Violation } from './violation.ts';

/** STS said no, and that is believed for so long: back-off up to 10 min, and what comes on top. */
const refusalMillis = 700_000;

/**
 * Every request is answered within its bound, and every answer has its reason: once all is settled it is the one that
 * there can be; before that, one that some state of what was known explains.
 */
export function checkAnswered(history: History): Violation[] {
  return history.requests.flatMap((request) => {
    const { to, status } = request;
    const found =
      to === undefined || status === undefined
        ? unanswered(history, request)
        : isSettled(history, request, to)
          ? unlikeExpected(history, request, to, status)
          : withoutReason(history, request, to, status);
    return found ? [{ ...found, at: request.from, text: `${describe(request)}: ${found.text}` }] : [];
  });
}

type Found = Omit<Violation, 'at'> | undefined;

function unanswered({ ends }: History, { process }: RequestFact): Found {
  if (ends.has(process)) return undefined;
  return { rule: 'no-answer', text: 'the process lived on, and never answered' };
}

/** A pod's current state by the Kubernetes API. */
function current(history: History, request: RequestFact, to: number): PodFact[] {
  const found: PodFact[] = [];
  for (const versions of history.pods.values()) {
    const last = versions.findLast(({ at }) => at <= to)?.value;
    if (last && owns(last, request)) found.push(last);
  }
  return found;
}

function unlikeExpected(history: History, request: RequestFact, to: number, status: number): Found {
  const late = tooLate(history, request, to);
  if (late) return late;
  const expected = expectedStatus(history, request, to);
  if (expected.status === status) return undefined;
  return {
    rule: status === 200 ? 'served-too-much' : 'refused-when-settled',
    text: `all was settled, and ${expected.status} expected: ${expected.why}`,
  };
}

function expectedStatus(
  history: History,
  request: RequestFact,
  to: number,
): { readonly status: number; readonly why: string } {
  const { ask } = request;
  const { settings } = history;
  if (ask.kind !== 'token') {
    if (!ask.token && settings.requiresToken) return { status: 401, why: 'a token is required' };
  }
  const owners = current(history, request, to);
  const [pod, ...others] = owners;
  if (!pod) return { status: 503, why: 'nobody owns the address' };
  if (others.length > 0) return { status: 503, why: 'several claim the address' };
  if (ask.kind === 'token') return { status: 200, why: 'the pod is known' };
  const { token } = ask;
  if (token && !isClear(history, request, token)) return { status: request.status ?? 0, why: '' };
  if (token && (token.issuedTo !== pod.uid || token.expiresAt <= request.from))
    return { status: 401, why: 'the token is not good' };
  if (pod.role === undefined) return { status: 404, why: 'the pod has no role' };
  const roleArn = settings.arnPrefix + pod.role;
  const namespace = history.namespaces.get(pod.namespace)?.findLast(({ at }) => at <= to)?.value;
  if (ask.kind === 'credentials' && ask.role !== pod.role)
    return { status: 404, why: 'another role is asked for' };
  if (!permits(namespace, roleArn)) return { status: 403, why: 'the namespace forbids it' };
  return { status: 200, why: `the pod is bound to ${pod.role} and may have it` };
}

/** Whether it is known which pod podpass made a token for, and until when. */
function isClear(history: History, request: RequestFact, { address, issuedAt }: TokenUse): boolean {
  const wasWrong = ({ kind, from, to }: FaultFact) => kind === 'clock' && from <= issuedAt && issuedAt <= to;
  if (history.faults.some(wasWrong)) return false;
  // Else podpass may have taken the sender for the owner of the address before it.
  return address !== request.address || isSettled(history, { ...request, from: issuedAt }, issuedAt);
}

function withoutReason(history: History, request: RequestFact, to: number, status: number): Found {
  const late = tooLate(history, request, to);
  if (late) return late;
  const { ask, body = '' } = request;
  const possible = candidates(history, request, to);
  const isForbidden = possible.some(
    ({ pod, namespaces }) =>
      pod.role !== undefined &&
      namespaces.some((one) => one && !permits(one, history.settings.arnPrefix + (pod.role ?? ''))),
  );
  switch (status) {
    case 200:
      if (ask.kind !== 'list' || possible.some(({ pod }) => pod.role === body)) return undefined;
      return { rule: 'wrong-list', text: `no owner of the address is bound to ${body}` };
    case 401:
      if (ask.kind === 'token') return { rule: 'refusal', text: 'a token needs no token' };
      if (!ask.token && !history.settings.requiresToken)
        return { rule: 'refusal', text: 'no token is required' };
      return undefined;
    case 403:
      if (
        isForbidden ||
        wasRefused(
          history,
          possible.map(({ pod }) => pod),
          to,
        )
      )
        return undefined;
      return { rule: 'refusal', text: 'neither its namespace nor STS forbids it' };
    case 404:
      if (
        possible.some(
          ({ pod }) => pod.role === undefined || (ask.kind === 'credentials' && ask.role !== pod.role),
        )
      )
        return undefined;
      return { rule: 'refusal', text: 'the pod has a role, and it is the one that is asked for' };
    case 503:
      return undefined;
    default:
      return { rule: 'refusal', text: `${status} is no answer of the door` };
  }
}

function tooLate({ settings }: History, { from }: RequestFact, to: number): Found {
  if (to - from <= settings.holdMillis) return undefined;
  return { rule: 'slow-answer', text: `held for ${Math.round(to - from)} ms` };
}

function wasRefused({ calls, settings }: History, pods: readonly PodFact[], to: number): boolean {
  const isRecent = ({ outcome, to: at = to }: CallFact) =>
    outcome === 'refused' && at <= to && at > to - refusalMillis;
  return pods.some(({ role }) =>
    calls.some((call) => isRecent(call) && call.roleArn === settings.arnPrefix + (role ?? '')),
  );
}
