import type { Namespace, Pod } from '../cluster/objects.ts';
import type { AnnotationKeys } from './annotation-keys.ts';
import type { BoundRole, Decision, Finding, Refusal, SessionRequest } from './decision.ts';
import { createNamespacePolicy, type Verdict } from './namespace-policy.ts';
import { type PodBinding, readPodBinding } from './pod-binding.ts';
import { quoted } from './quoted.ts';
import { resolveRoleArn } from './resolve-role-arn.ts';
import { sessionName } from './session-name.ts';

export interface DecideOptions {
  /** What short role names are put behind, as `parseBaseArn` returns it. Without one, only full ARNs are understood. */
  readonly baseArn?: string;
  /** kiam's `--session`: the session name of pods that do not ask for one, without its prefix. */
  readonly defaultSessionName: string;
  readonly keys: AnnotationKeys;
  /** Whether a namespace's expression has to match the whole ARN (kiam's default) or any part of it. */
  readonly strictNamespaceRegexp: boolean;
}

/**
 * Decides about a pod. Pure but for what it remembers of compiled expressions; never throws, whatever the
 * annotations hold.
 *
 * @param namespace the pod's; `undefined` while it has not been seen.
 */
export type Decide = (pod: Pod, namespace: Namespace | undefined) => Decision;

/**
 * The second and the third question: which role is a pod bound to, and may it have that role?
 *
 * Order and meaning are kiam's, with three differences: what cannot be a role ARN or an external id is refused before
 * STS sees it, a namespace not seen yet means "wait" (kiam crashed), and a namespace's expression that cannot be
 * compiled refuses at once (kiam retried for 5 s).
 *
 * @example
 * ```ts
 * const decide = createDecide({
 *   baseArn: 'arn:aws:iam::123456789012:role/',
 *   defaultSessionName: 'kiam',
 *   keys: defaultAnnotationKeys,
 *   strictNamespaceRegexp: true,
 * });
 * decide(pod, namespace).kind; // 'granted'
 * ```
 */
export function createDecide(options: DecideOptions): Decide {
  const { baseArn, defaultSessionName, keys } = options;
  const policy = createNamespacePolicy({ strict: options.strictNamespaceRegexp });
  const withoutRole: Decision = {
    kind: 'no-role',
    findings: [role(on(keys.role), 'not set: the pod is bound to no role')],
  };
  /**
   * What was decided under each version of a namespace. A decision depends on the pod's annotations and its namespace
   * alone, so the pods of one workload share theirs: a thousand pods are not a thousand explanations.
   */
  const decided = new WeakMap<Namespace, Map<string, Decision>>();

  return function decide(pod, namespace) {
    const binding = readPodBinding(pod.annotations, keys);
    if (binding.kind === 'none') return withoutRole;
    if (binding.kind === 'invalid') return invalid(binding.annotation, binding.problem);
    if (!namespace) return decideAnew(binding, pod.namespace, undefined);
    const remembered = decided.get(namespace) ?? new Map<string, Decision>();
    decided.set(namespace, remembered);
    const key = JSON.stringify([binding.roleText, binding.sessionNameText, binding.externalId]);
    const known = remembered.get(key);
    if (known) return known;
    const decision = decideAnew(binding, pod.namespace, namespace);
    // Whoever changes annotations without end must not fill our memory.
    if (remembered.size >= mostRemembered) remembered.clear();
    remembered.set(key, decision);
    return decision;
  };

  function invalid(annotation: string, problem: string): Decision {
    const question = annotation === keys.role ? 'role' : 'session';
    const findings: Finding[] = [{ question, lookedAt: on(annotation), found: `cannot be used: ${problem}` }];
    return { kind: 'invalid', annotation, problem, findings };
  }

  function decideAnew(
    binding: PodBinding & { kind: 'bound' },
    namespaceName: string,
    namespace: Namespace | undefined,
  ): Decision {
    const resolved = resolveRoleArn(binding.roleText, baseArn);
    if (resolved.kind === 'invalid') return invalid(keys.role, resolved.problem);

    const bound: BoundRole = { name: binding.roleText, arn: resolved.value };
    const findings: Finding[] = [role(on(keys.role), spelledOut(bound))];
    if (!namespace) {
      findings.push(permission(`namespace ${namespaceName}`, 'not seen yet'));
      return { kind: 'undecided', findings };
    }
    const expression = annotation(namespace, keys.permitted);
    const verdict = policy.judge(expression, bound.arn);
    findings.push(
      permission(
        `annotation ${keys.permitted} of namespace ${namespaceName}`,
        found(verdict, expression, bound, options),
      ),
    );
    if (verdict.kind !== 'permitted') {
      return {
        kind: 'forbidden',
        role: bound,
        refusal: refusal(verdict, expression, keys.permitted),
        findings,
      };
    }

    const session = sessionRequest(binding, defaultSessionName);
    findings.push({
      question: 'session',
      lookedAt: on(keys.sessionName),
      found: binding.sessionNameText
        ? `${quoted(binding.sessionNameText)}: the session is named ${session.sessionName}`
        : `not set: the session is named ${session.sessionName}`,
    });
    if (session.externalId !== undefined) {
      findings.push({
        question: 'session',
        lookedAt: on(keys.externalId),
        found: 'set; its value is never shown',
      });
    }
    return { kind: 'granted', role: bound, session, findings };
  }
}

/** Of one namespace. More different bindings than this at a time are decided again each time. */
const mostRemembered = 1_000;

function on(annotationKey: string): string {
  return `annotation ${annotationKey} of the pod`;
}

function sessionRequest(
  { sessionNameText, externalId }: PodBinding & { kind: 'bound' },
  defaultSessionName: string,
): SessionRequest {
  return {
    sessionName: sessionName(sessionNameText, defaultSessionName),
    ...(externalId !== undefined && { externalId }),
  };
}

function refusal(
  verdict: Exclude<Verdict, { kind: 'permitted' }>,
  expression = '',
  annotation: string,
): Refusal {
  switch (verdict.kind) {
    case 'missing':
      return { rule: 'missing', annotation };
    case 'no-match':
      return { rule: 'no-match', annotation, expression: clipped(expression) };
    case 'invalid':
      return { rule: 'invalid', annotation, expression: clipped(expression), problem: verdict.problem };
  }
}

/** A decision goes over the wire for each pod of a node, and an annotation may have 256 kB. */
function clipped(expression: string): string {
  return expression.length > 1_000 ? `${expression.slice(0, 1_000)}...` : expression;
}

function found(verdict: Verdict, expression = '', bound: BoundRole, options: DecideOptions): string {
  switch (verdict.kind) {
    case 'permitted':
      return `${quoted(expression)} permits ${bound.arn}`;
    case 'missing':
      return 'not set: the namespace permits no role';
    case 'no-match':
      return options.strictNamespaceRegexp
        ? `${quoted(expression)} does not match the whole of ${bound.arn}`
        : `${quoted(expression)} matches no part of ${bound.arn}`;
    case 'invalid':
      return `${quoted(expression)} cannot be used as a regular expression: ${verdict.problem}`;
  }
}

function spelledOut({ name, arn }: BoundRole): string {
  return name === arn ? arn : `${quoted(name)}, which is ${arn}`;
}

function role(lookedAt: string, text: string): Finding {
  return { question: 'role', lookedAt, found: text };
}

function permission(lookedAt: string, text: string): Finding {
  return { question: 'permission', lookedAt, found: text };
}

function annotation(namespace: Namespace, key: string): string | undefined {
  return Object.hasOwn(namespace.annotations, key) ? namespace.annotations[key] : undefined;
}
