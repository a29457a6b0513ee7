import { RE2JS } from 're2js';
import { messageOf } from '../base/errors.ts';
import { expressionCost } from './expression-cost.ts';
import { invalid, ok, type Parsed } from './parsed.ts';
import { defused } from './quoted.ts';
import { longestRoleArn } from './role-arn.ts';

/** Room for some 200 role ARNs with `|` between them. */
const longestExpression = 16_384;
/** Compiling more than this takes longer than a server with other namespaces to serve should stand still. */
const maxCost = 20_000;
/** Matching looks at each instruction at most once for each character of the ARN: some 20 ms at this size. */
const maxInstructions = 4_096;

/** A namespace's expression, compiled. */
export interface PermittedExpression {
  /** How large it is, for a cache that has to stay small. */
  readonly cost: number;
  /** How many instructions it compiled to. */
  readonly instructions: number;
  /**
   * Whether the expression permits a role.
   *
   * @param strict the whole ARN has to match (kiam's default since v4.0); else any part of it.
   */
  matches(roleArn: string, strict: boolean): boolean;
}

/**
 * Compiles the regular expression of a namespace's annotation. Tenants write these, so they get RE2's syntax, which
 * is kiam's, in linear time, and a bound on size. The whole text is matched by the engine and not by `^` and `$`
 * glued to it: to kiam `A|B` meant "starts with A, or ends with B", which let `…role/app-admin` through where
 * `…role/app|…role/web` was written. Nor can a text such as `a)|(b` or an open `\Q` break out of a group.
 */
export function compilePermittedExpression(text: string): Parsed<PermittedExpression> {
  if (text.length > longestExpression) {
    return invalid(`it has ${text.length} characters, and at most ${longestExpression} are allowed`);
  }
  const cost = expressionCost(text);
  if (cost > maxCost) return invalid(tooLarge);
  let expression: RE2JS;
  try {
    expression = RE2JS.compile(text);
  } catch (thrown) {
    // re2js quotes the part that it could not read.
    return invalid(defused(messageOf(thrown).replace(/^error parsing regexp: /, '')));
  }
  const instructions = expression.programSize();
  if (instructions > maxInstructions) return invalid(tooLarge);
  return ok({
    cost,
    instructions,
    matches(roleArn, strict) {
      if (roleArn.length > longestRoleArn) return false;
      // A matcher and not test(): that would build automata of up to 8 MB for each expression, and keep them.
      const matcher = expression.matcher(roleArn);
      return strict ? matcher.matches() : matcher.find();
    },
  });
}

const tooLarge = 'it is too large once its repetitions are written out; use * or + in place of large counts';
