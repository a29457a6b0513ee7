import { candidates, certainOwners, permits } from './admissible.ts';
import type { CallFact, History, PodFact, RequestFact } from './history.ts';
import type { Violation } from './violation.ts';

/** Less is never served. */
const leastLifeMillis = 60_000;

/**
 * Whatever was served belonged to a pod that owned the calling address, by what had been told; it was permitted; it was
 * issued by STS for that pod's role, session and external id; it was what was asked for; and it lives long enough.
 */
export function checkServed(history: History): Violation[] {
  const calls = new Map(history.calls.map((call) => [call.accessKeyId, call]));
  return history.requests.flatMap((request) => {
    const { ask, status, to } = request;
    if (ask.kind !== 'credentials' || status !== 200 || to === undefined) return [];
    const text = whyWrong(history, calls, request, to);
    return text ? [{ ...text, at: to, text: `${describe(request)}: ${text.text}` }] : [];
  });
}

function whyWrong(
  history: History,
  calls: ReadonlyMap<string, CallFact>,
  request: RequestFact,
  to: number,
): { readonly rule: string; readonly text: string } | undefined {
  const body = JSON.parse(request.body ?? '') as { AccessKeyId: string; Expiration: string };
  const call = calls.get(body.AccessKeyId);
  if (call?.outcome !== 'issued' || call.expiresAt === undefined)
    return { rule: 'forged', text: `STS never issued ${body.AccessKeyId}` };
  const left = call.expiresAt - to;
  if (left < leastLifeMillis && !isSecretlyShort(history, call))
    return { rule: 'short-lived', text: `credentials with ${Math.round(left / 1_000)} s left` };
  const possible = candidates(history, request, to);
  const whose = possible.filter(({ pod }) => isFor(history, request, call, pod));
  if (whose.length === 0)
    return {
      rule: 'wrong-credentials',
      text: `credentials of ${call.roleArn} as ${call.sessionName}, which no owner of the address is bound to`,
    };
  if (!whose.some(({ namespaces }) => namespaces.some((namespace) => permits(namespace, call.roleArn))))
    return { rule: 'not-permitted', text: `${call.roleArn}, which the namespace does not permit` };
  const owners = new Set(certainOwners(history, request, to).map(({ uid }) => uid));
  if (owners.size > 1)
    return { rule: 'conflict', text: `served while pods ${[...owners].join(' and ')} claim the address` };
  return undefined;
}

/**
 * Whether STS gave less than it was asked for, which AWS never does, to a process whose clock was wrong: that one has
 * nothing to tell it by.
 */
function isSecretlyShort({ faults, settings }: History, { to = 0, expiresAt = 0 }: CallFact): boolean {
  const isShort = expiresAt - to < settings.sessionMillis - leastLifeMillis;
  return (
    isShort && faults.some((fault) => fault.kind.startsWith('clock') && fault.from <= to && to <= fault.to)
  );
}

/** Whether the session is that of a pod in this state, and was asked for. */
function isFor({ settings }: History, { ask, node }: RequestFact, call: CallFact, pod: PodFact): boolean {
  const { role } = pod;
  if (role === undefined || ask.kind !== 'credentials') return false;
  const named = settings.namedByAddress.has(node)
    ? call.sessionName.endsWith(`-${role}`)
    : call.sessionName === `kiam-${pod.sessionName ?? 'kiam'}`;
  return (
    ask.role === role &&
    call.roleArn === settings.arnPrefix + role &&
    call.externalId === pod.externalId &&
    named
  );
}

export function describe({ number, process, address, sender, ask, from, to, status }: RequestFact): string {
  const what = ask.kind === 'credentials' ? `credentials of ${ask.role}` : ask.kind;
  const when = `${from.toFixed(0)}..${to?.toFixed(0) ?? ''} ms`;
  return `request ${number} (${when}) of ${sender ?? 'the node'} at ${address} to ${process} for ${what}, answered ${status}`;
}
