import { invalid, ok, type Parsed } from './parsed.ts';
import { compilePermittedExpression } from './permitted-expression.ts';
import { quoted } from './quoted.ts';
import { longestRoleArn } from './role-arn.ts';
import { compileRoleGlob } from './role-glob.ts';
import type { RoleRule } from './role-rule.ts';

/** How the entries of a list are read: kube2iam's `--namespace-restriction-format`. */
export type AllowedRolesFormat = 'glob' | 'regexp';

export interface AllowedRolesOptions {
  readonly format: AllowedRolesFormat;
  /** What entries that are no ARN are put behind, as `parseBaseArn` returns it. */
  readonly baseArn?: string;
}

/** As much as kiam's annotation may have. */
const longestList = 16_384;
const mostEntries = 500;
/** Of all regular expressions of a list together; matching looks at each once for each character, some 40 ms. */
const mostInstructions = 8_192;

/**
 * Compiles kube2iam's list: a JSON array of role names, paths and ARNs, as globs or as regular expressions. An entry
 * that is no ARN counts behind the base ARN, so a lone `*` is every role of the own account and none of another.
 *
 * Strict where kube2iam was not: it read `["a", null]` as `["a", ""]`, and the empty entry permitted every role of the
 * account. Whatever is not a list of non-empty texts permits nothing. An entry that is there again changes nothing.
 *
 * The base ARN is compared as the text that it is, and the entry with what is left of the role's ARN. kube2iam glued
 * the two together: `.` in the base matched anything, `a|b` was "begins with the base and a, or has b anywhere", and
 * `^arn:…$` never matched. Regular expressions have to match the whole.
 */
export function compileAllowedRoles(
  text: string,
  { format, baseArn = '' }: AllowedRolesOptions,
): Parsed<RoleRule> {
  const entries = readList(text);
  if (entries.kind === 'invalid') return entries;
  const rules: RoleRule['permits'][] = [];
  let cost = 0;
  let instructions = 0;
  for (const entry of entries.value) {
    const prefix = isArn(entry, format) ? '' : baseArn;
    let matches: (rest: string) => boolean;
    if (format === 'glob') {
      if (entry.length > longestRoleArn) {
        return invalid(`the entry ${quoted(entry)} is longer than any role ARN`);
      }
      matches = compileRoleGlob(entry);
      cost += entry.length;
    } else {
      const compiled = compilePermittedExpression(entry);
      if (compiled.kind === 'invalid') return invalid(`the entry ${quoted(entry)}: ${compiled.problem}`);
      const expression = compiled.value;
      matches = (rest) => expression.matches(rest, true);
      cost += expression.cost;
      instructions += expression.instructions;
      if (instructions > mostInstructions) {
        return invalid(
          'its regular expressions are too large together; use fewer, or * and + for large counts',
        );
      }
    }
    rules.push((arn) => arn.startsWith(prefix) && matches(arn.slice(prefix.length)));
  }
  return ok({
    cost,
    permits: (arn) => arn.length <= longestRoleArn && rules.some((permits) => permits(arn)),
  });
}

/** Whether an entry speaks of the whole ARN. */
function isArn(entry: string, format: AllowedRolesFormat): boolean {
  return entry.startsWith('arn:') || (format === 'regexp' && entry.startsWith('^arn:'));
}

function readList(text: string): Parsed<readonly string[]> {
  if (text.length > longestList) {
    return invalid(`it has ${text.length} characters, and at most ${longestList} are allowed`);
  }
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    return invalid(`it is not JSON; ${shape}`);
  }
  if (!Array.isArray(list)) return invalid(`it is not a JSON array; ${shape}`);
  if (list.length > mostEntries) {
    return invalid(`it has ${list.length} entries, and at most ${mostEntries} are allowed`);
  }
  const entries = new Set<string>();
  for (const [index, entry] of list.entries()) {
    const which = `entry ${index + 1} of the list`;
    if (typeof entry !== 'string') return invalid(`${which} is not a text; ${shape}`);
    if (entry === '') return invalid(`${which} is empty`);
    entries.add(entry);
  }
  return ok([...entries]);
}

const shape = 'it has to look like ["reader", "team-*"]';
