import type { Parsed } from './parsed.ts';
import type { RoleRule } from './role-rule.ts';

/** Whether an annotation of a namespace permits a role. `missing`: it is empty. */
export type Verdict =
  | { readonly kind: 'permitted' }
  | { readonly kind: 'missing' }
  | { readonly kind: 'no-match' }
  | { readonly kind: 'invalid'; readonly problem: string };

export interface NamespacePolicyOptions {
  /** Reads the annotation. */
  readonly compile: (text: string) => Parsed<RoleRule>;
  /** How much compiled text is held, in instructions (about 0.4 kB each at worst). Default 200,000. */
  readonly maxHeldCost?: number;
}

/** Judges roles by one annotation of namespaces, compiling each text once. */
export interface NamespacePolicy {
  /**
   * @param expression the annotation as written; empty means that nothing is permitted, as in kiam.
   * @param roleArn the resolved ARN, whatever the pod's annotation looks like.
   */
  judge(expression: string, roleArn: string): Verdict;
  /** How many expressions are held. */
  readonly held: number;
}

/** No expression counts for less, so that many small ones are bounded too. */
const leastCost = 64;
/** Pods of one namespace share few roles; what was found for each is remembered, so that a relist matches nothing again. */
const maxVerdicts = 64;

interface Held {
  readonly compiled: Parsed<RoleRule>;
  readonly cost: number;
  readonly verdicts: Map<string, boolean>;
}

export function createNamespacePolicy({
  compile,
  maxHeldCost = 200_000,
}: NamespacePolicyOptions): NamespacePolicy {
  /** In order of use, oldest first. Keyed by text: namespaces made from one template share an entry. */
  const held = new Map<string, Held>();
  let heldCost = 0;

  function lookUp(expression: string): Held {
    const known = held.get(expression);
    if (known) {
      held.delete(expression);
      held.set(expression, known);
      return known;
    }
    const compiled = compile(expression);
    // A text that was refused unread is cheap to refuse again, and may be long.
    const cost = Math.max(leastCost, expression.length, compiled.kind === 'ok' ? compiled.value.cost : 0);
    const entry = { compiled, cost, verdicts: new Map<string, boolean>() };
    held.set(expression, entry);
    heldCost += cost;
    for (const [oldest, { cost: freed }] of held) {
      if (heldCost <= maxHeldCost || held.size === 1) break;
      held.delete(oldest);
      heldCost -= freed;
    }
    return entry;
  }

  return {
    judge(expression, roleArn) {
      if (expression === '') return { kind: 'missing' };
      const { compiled, verdicts } = lookUp(expression);
      if (compiled.kind === 'invalid') return compiled;
      let permitted = verdicts.get(roleArn);
      if (permitted === undefined) {
        permitted = compiled.value.permits(roleArn);
        if (verdicts.size >= maxVerdicts) verdicts.clear();
        verdicts.set(roleArn, permitted);
      }
      return { kind: permitted ? 'permitted' : 'no-match' };
    },
    get held() {
      return held.size;
    },
  };
}
