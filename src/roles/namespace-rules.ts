import { unreachable } from '../base/errors.ts';
import type { Namespace } from '../cluster/objects.ts';
import { type AllowedRolesFormat, compileAllowedRoles } from './allowed-roles.ts';
import type { AnnotationKeys } from './annotation-keys.ts';
import type { Finding, Refusal } from './decision.ts';
import { createNamespacePolicy, type NamespacePolicy, type Verdict } from './namespace-policy.ts';
import { ok } from './parsed.ts';
import { compilePermittedExpression } from './permitted-expression.ts';
import { quoted } from './quoted.ts';

export interface NamespaceRulesOptions {
  readonly keys: Pick<AnnotationKeys, 'permitted' | 'allowedRoles'>;
  /** What entries of an allow-list that are no ARN are put behind, as `parseBaseArn` returns it. */
  readonly baseArn?: string;
  /** Whether kiam's expression has to match the whole ARN (its default) or any part of it. */
  readonly strictNamespaceRegexp: boolean;
  /** How the entries of kube2iam's list are read. Default `glob`, as in kube2iam. */
  readonly allowedRolesFormat?: AllowedRolesFormat;
  /** Which annotation a namespace that has none is told to add. Default `permitted`. */
  readonly advise?: 'permitted' | 'allowedRoles';
}

/** What a namespace says of a role. Without a refusal it is permitted. */
export interface NamespaceJudgement {
  readonly refusal?: Refusal;
  /** What was looked at, and what was found. Never empty. */
  readonly findings: readonly Finding[];
}

export type JudgeNamespace = (namespace: Namespace, roleArn: string) => NamespaceJudgement;

/**
 * The rule of namespaces, in both vocabularies at once: kiam's annotation and kube2iam's.
 *
 * **Every annotation that is there has to permit the role; where none is there, nothing is permitted.** So the
 * stricter of two wins, a second annotation never permits more, and a cluster that moves from one vocabulary to the
 * other cannot open a namespace on the way. An annotation that is empty, or that cannot be read, is there and permits
 * nothing.
 *
 * Where several refuse, the refusal is that of one that cannot be read, because somebody has to mend it; else that of
 * the first. The findings have all.
 */
export function createNamespaceRules(options: NamespaceRulesOptions): JudgeNamespace {
  const {
    keys,
    strictNamespaceRegexp: strict,
    allowedRolesFormat: format = 'glob',
    baseArn,
    advise,
  } = options;
  const vocabularies: readonly Vocabulary[] = [
    {
      annotation: keys.permitted,
      policy: createNamespacePolicy({
        compile(text) {
          const compiled = compilePermittedExpression(text);
          if (compiled.kind === 'invalid') return compiled;
          const { cost, matches } = compiled.value;
          return ok({ cost, permits: (arn) => matches(arn, strict) });
        },
      }),
      noMatch: (arn) => (strict ? `does not match the whole of ${arn}` : `matches no part of ${arn}`),
      cannotBeUsed: 'cannot be used as a regular expression',
    },
    {
      annotation: keys.allowedRoles,
      policy: createNamespacePolicy({
        compile: (text) => compileAllowedRoles(text, { format, ...(baseArn !== undefined && { baseArn }) }),
      }),
      noMatch: (arn) =>
        `has no ${format === 'glob' ? 'entry' : 'expression'} that matches the whole of ${arn}`,
      cannotBeUsed: `cannot be used as a list of ${format === 'glob' ? 'globs' : 'regular expressions'}`,
    },
  ];
  const advised = keys[advise ?? 'permitted'];

  return function judgeNamespace(namespace, roleArn) {
    const findings: Finding[] = [];
    const refusals: Refusal[] = [];
    for (const vocabulary of vocabularies) {
      const { annotation, policy } = vocabulary;
      if (!Object.hasOwn(namespace.annotations, annotation)) continue;
      const text = namespace.annotations[annotation] ?? '';
      const verdict = policy.judge(text, roleArn);
      findings.push(finding(annotation, namespace, describe(verdict, text, roleArn, vocabulary)));
      const refusal = refusalOf(verdict, annotation, text);
      if (refusal) refusals.push(refusal);
    }
    if (findings.length === 0) {
      findings.push(finding(advised, namespace, 'not set: the namespace permits no role'));
      return { refusal: { rule: 'missing', annotation: advised }, findings };
    }
    const refusal = refusals.find(({ rule }) => rule === 'invalid') ?? refusals[0];
    return refusal ? { refusal, findings } : { findings };
  };
}

/** One way of writing rules. */
interface Vocabulary {
  readonly annotation: string;
  readonly policy: NamespacePolicy;
  readonly noMatch: (roleArn: string) => string;
  readonly cannotBeUsed: string;
}

function finding(annotation: string, namespace: Namespace, found: string): Finding {
  return {
    question: 'permission',
    lookedAt: `annotation ${annotation} of namespace ${namespace.name}`,
    found,
  };
}

function describe(verdict: Verdict, text: string, roleArn: string, vocabulary: Vocabulary): string {
  switch (verdict.kind) {
    case 'permitted':
      return `${quoted(text)} permits ${roleArn}`;
    case 'missing':
      return 'empty: it permits no role';
    case 'no-match':
      return `${quoted(text)} ${vocabulary.noMatch(roleArn)}`;
    case 'invalid':
      return `${quoted(text)} ${vocabulary.cannotBeUsed}: ${verdict.problem}`;
    default:
      return unreachable(verdict);
  }
}

function refusalOf(verdict: Verdict, annotation: string, text: string): Refusal | undefined {
  switch (verdict.kind) {
    case 'permitted':
      return undefined;
    case 'missing':
      return { rule: 'missing', annotation };
    case 'no-match':
      return { rule: 'no-match', annotation, expression: clipped(text) };
    case 'invalid':
      return { rule: 'invalid', annotation, expression: clipped(text), problem: verdict.problem };
    default:
      return unreachable(verdict);
  }
}

/** A decision goes over the wire for each pod of a node, and an annotation may have 256 kB. */
function clipped(expression: string): string {
  return expression.length > 1_000 ? `${expression.slice(0, 1_000)}...` : expression;
}
