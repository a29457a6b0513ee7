import type { Namespace, Pod } from '../cluster/objects.ts';
import type { AllowedRolesFormat } from './allowed-roles.ts';
import type { AnnotationKeys } from './annotation-keys.ts';
import type { BoundRole, Decision, Finding, SessionRequest } from './decision.ts';
import { kube2iamSessionName, sessionAddress } from './kube2iam-session-name.ts';
import { createNamespaceRules, type NamespaceJudgement } from './namespace-rules.ts';
import { type PodBinding, readPodBinding } from './pod-binding.ts';
import { quoted } from './quoted.ts';
import { resolveRoleArn } from './resolve-role-arn.ts';
import { sessionName } from './session-name.ts';

export interface DecideOptions {
  /** What short role names are put behind, as `parseBaseArn` returns it. Without one, only full ARNs are understood. */
  readonly baseArn?: string;
  /** The role of pods that name none. Default: they have no role. */
  readonly defaultRole?: DefaultRole;
  /** kiam's `--session`: the session name of pods that do not ask for one, without its prefix. */
  readonly defaultSessionName: string;
  /** How sessions are named. `kube2iam`: by the pod's address, so each pod has one of its own. Default `kiam`. */
  readonly sessionNameFormat?: SessionNameFormat;
  readonly keys: AnnotationKeys;
  /** Whether namespaces have to permit roles. Where not, nothing of them is looked at. Default true. */
  readonly namespaceRestrictions?: boolean;
  /** Whether a namespace's expression has to match the whole ARN (kiam's default) or any part of it. */
  readonly strictNamespaceRegexp: boolean;
  /** How the entries of kube2iam's allow-lists are read. Default `glob`. */
  readonly allowedRolesFormat?: AllowedRolesFormat;
  /** Which annotation a namespace that has none is told to add. Default `permitted`, which is kiam's. */
  readonly advise?: 'permitted' | 'allowedRoles';
}

export type SessionNameFormat = 'kiam' | 'kube2iam';

export interface DefaultRole {
  /** The name as configured, which is what the metadata door lists, and the ARN that `resolveRoleArn` made of it. */
  readonly role: BoundRole;
  /** Every pod may have it, whatever its namespace says: so it is in kube2iam. */
  readonly bypassesRestrictions: boolean;
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
 * compiled refuses at once (kiam retried for 5 s). What kube2iam has beside that is in the options.
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
  const { baseArn, defaultRole, defaultSessionName, keys, namespaceRestrictions = true } = options;
  const byAddress = options.sessionNameFormat === 'kube2iam';
  const judge = createNamespaceRules(options);
  const withoutRole: Decision = {
    kind: 'no-role',
    findings: [role(on(keys.role), 'not set: the pod is bound to no role')],
  };
  /**
   * What was decided under each version of a namespace. A decision depends on the pod's annotations and its namespace
   * alone (and on its address, where that names the session), so the pods of one workload share theirs: a thousand
   * pods are not a thousand explanations.
   */
  const decided = new WeakMap<Namespace, Map<string, Decision>>();

  return function decide(pod, namespace) {
    const binding = readPodBinding(pod.annotations, keys, defaultRole?.role.name);
    if (binding.kind === 'none') return withoutRole;
    if (binding.kind === 'invalid') return invalid(binding.annotation, binding.problem);
    const address = byAddress ? sessionAddress(pod.podIPs) : undefined;
    if (!namespace) return decideAnew(binding, address, pod.namespace, undefined);
    const remembered = decided.get(namespace) ?? new Map<string, Decision>();
    decided.set(namespace, remembered);
    const { roleText, isDefault, sessionNameText, externalId } = binding;
    const key = JSON.stringify([roleText, isDefault, sessionNameText, externalId, address]);
    const known = remembered.get(key);
    if (known) return known;
    const decision = decideAnew(binding, address, pod.namespace, namespace);
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
    address: string | undefined,
    namespaceName: string,
    namespace: Namespace | undefined,
  ): Decision {
    const findings: Finding[] = [];
    let bound: BoundRole;
    if (binding.isDefault && defaultRole) {
      bound = defaultRole.role;
      findings.push(role(on(keys.role), `not set: the default role is ${spelledOut(bound)}`));
    } else {
      const resolved = resolveRoleArn(binding.roleText, baseArn);
      if (resolved.kind === 'invalid') return invalid(keys.role, resolved.problem);
      bound = { name: binding.roleText, arn: resolved.value };
      findings.push(role(on(keys.role), spelledOut(bound)));
    }

    const judgement = judgeRole(bound.arn, namespace);
    if (!judgement) {
      findings.push(permission(`namespace ${namespaceName}`, 'not seen yet'));
      return { kind: 'undecided', findings };
    }
    findings.push(...judgement.findings);
    if (judgement.refusal) return { kind: 'forbidden', role: bound, refusal: judgement.refusal, findings };

    if (byAddress && address === undefined) {
      findings.push(session('address of the pod', 'none yet, and the session is named by it'));
      return { kind: 'undecided', findings };
    }
    const { externalId, sessionNameText } = binding;
    const request: SessionRequest = {
      sessionName:
        address === undefined
          ? sessionName(sessionNameText, defaultSessionName)
          : kube2iamSessionName(address, bound.arn),
      ...(externalId !== undefined && { externalId }),
    };
    const named = `the session is named ${request.sessionName}`;
    if (address !== undefined) findings.push(session('address of the pod', `${quoted(address)}: ${named}`));
    else {
      const found = sessionNameText === undefined ? 'not set' : quoted(sessionNameText);
      findings.push(session(on(keys.sessionName), `${found}: ${named}`));
    }
    if (externalId !== undefined) {
      findings.push(session(on(keys.externalId), 'set; its value is never shown'));
    }
    return { kind: 'granted', role: bound, session: request, findings };
  }

  /** The third question. No answer while it depends on a namespace that has not been seen. */
  function judgeRole(arn: string, namespace: Namespace | undefined): NamespaceJudgement | undefined {
    if (!namespaceRestrictions) return unrestricted;
    if (defaultRole?.bypassesRestrictions && arn === defaultRole.role.arn) return bypassed;
    return namespace && judge(namespace, arn);
  }
}

const unrestricted: NamespaceJudgement = {
  findings: [permission('configuration', 'namespaces are not restricted: every role is permitted')],
};

const bypassed: NamespaceJudgement = {
  findings: [
    permission('configuration', 'it is the default role, which is permitted whatever a namespace says'),
  ],
};

/** Of one namespace. More different bindings than this at a time are decided again each time. */
const mostRemembered = 1_000;

function on(annotationKey: string): string {
  return `annotation ${annotationKey} of the pod`;
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

function session(lookedAt: string, text: string): Finding {
  return { question: 'session', lookedAt, found: text };
}
