import { unreachable } from '../base/errors.ts';
import type { Answer } from '../broker/broker.ts';
import type { StsProblem } from '../credentials/session.ts';

/**
 * kiam's servers report every failure as gRPC code UNKNOWN with a text, and its agents know what happened by
 * comparing that text. This file holds all of it: the texts we send to kiam's agents, and how we read those that
 * kiam's servers send. Source: kiam v3.x and v4.x, `pkg/k8s`, `pkg/server`.
 */
export const kiamTexts = {
  /** GetPodRole: no running pod owns the address. */
  podNotFound: 'pod not found',
  /** GetPodCredentials: the same, worded otherwise. kiam's agents look for this one. */
  noPodFound: 'no pod found',
  severalPods: 'multiple running pods found',
  /** kiam's agents look for this one too, and give up at once. */
  forbidden: 'forbidden by policy',
  emptyRole: "role can't be empty",
} as const;

/** A gRPC status line is a header: nobody needs more, and proxies refuse much more. */
const longestText = 1_024;

/** Which call failed: kiam words one failure in two ways. */
export type KiamMethod = 'GetPodRole' | 'GetPodCredentials';

/** What a kiam agent is told of an answer that has no credentials (or, for GetPodRole, no role) in it. */
export function kiamErrorText(method: KiamMethod, answer: Exclude<Answer, { kind: 'credentials' }>): string {
  switch (answer.kind) {
    case 'unknown':
      return method === 'GetPodRole' ? kiamTexts.podNotFound : kiamTexts.noPodFound;
    case 'ambiguous':
      return kiamTexts.severalPods;
    case 'no-role':
      return kiamTexts.emptyRole;
    case 'forbidden':
      // An annotation that cannot be used is a refusal as well: with any other text the agent would try again for 5 s.
      return method === 'GetPodRole' && answer.decision.kind === 'invalid'
        ? cut(`annotation ${answer.decision.annotation} is invalid: ${answer.decision.problem}`)
        : kiamTexts.forbidden;
    case 'refused':
    case 'unavailable':
      return cut(`${answer.problem.code}: ${answer.problem.message}`);
    case 'pending':
      return cut(`credentials of role ${answer.role.name} are still being fetched`);
    case 'undecided':
      return cut(`what decides about pod ${answer.caller.namespace}/${answer.caller.name} is not known yet`);
    default:
      return unreachable(answer);
  }
}

/** What a kiam server's text says. */
export type KiamFailure =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'ambiguous' }
  | { readonly kind: 'forbidden' }
  | { readonly kind: 'no-role' }
  /** STS said no for good. */
  | { readonly kind: 'refused'; readonly problem: StsProblem }
  /** Anything that may be otherwise in a while. */
  | { readonly kind: 'unavailable'; readonly problem: StsProblem };

/** Codes of STS that trying again does not change; the first is what a trust policy that does not match leads to. */
const finalCodes = new Set([
  'AccessDenied',
  'AccessDeniedException',
  'ValidationError',
  'MalformedPolicyDocument',
  'PackedPolicyTooLarge',
  'RegionDisabledException',
]);

/** Reads the text of an UNKNOWN status from a kiam server. */
export function readKiamError(text: string): KiamFailure {
  switch (text) {
    case kiamTexts.podNotFound:
    case kiamTexts.noPodFound:
      return { kind: 'unknown' };
    case kiamTexts.severalPods:
      return { kind: 'ambiguous' };
    case kiamTexts.forbidden:
      return { kind: 'forbidden' };
    case kiamTexts.emptyRole:
      return { kind: 'no-role' };
  }
  const problem = readAwsError(text);
  return { kind: finalCodes.has(problem.code) ? 'refused' : 'unavailable', problem };
}

/**
 * The Go SDK writes `Code: message`, then a line with the status code and the request id, which differ from call
 * to call and are left out so that equal problems look equal.
 */
function readAwsError(text: string): StsProblem {
  const [, code, message] = /^([A-Za-z][\w.]{0,63}): ([^\n]{1,1024})/.exec(text) ?? [];
  if (code === undefined || message === undefined) return { code: 'KiamServer', message: cut(text) };
  return { code, message };
}

/** One line, bounded, and fit for a header: `encodeURI`, which gRPC applies, throws at half a surrogate pair. */
function cut(text: string): string {
  return text.slice(0, longestText).toWellFormed();
}
