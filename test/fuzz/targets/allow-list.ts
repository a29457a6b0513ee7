import { compileAllowedRoles } from '../../../src/roles/allowed-roles.ts';
import { fieldsOf, joined } from '../engine/text.ts';
import { type FuzzTarget, holds } from '../fuzz-target.ts';
import { referenceGlob, referenceMatches } from '../lib/reference-regexp.ts';

const baseArn = 'arn:aws:iam::123456789012:role/';
const arn = `${baseArn}team/reader`;

export const target: FuzzTarget = {
  name: 'allow-list',
  about: "kube2iam's lists of globs and of expressions: what is permitted is what an entry matches whole",
  maxBytes: 1_500,
  slowMillis: 400,
  seeds: [
    joined('["team/*"]', arn),
    joined('["*"]', arn),
    joined('["reader", "arn:aws:iam::*:role/team/reader"]', arn),
    joined('["team/.*", "^arn:.*"]', arn),
    joined('["a*b*c", "t*m/*r"]', arn),
    joined('[null]', arn),
    joined('["a", ["b"], {"c": 1}]', arn),
    joined('[""]', baseArn),
  ],
  dictionary: ['"*"', '["', '"]', '","', 'arn:', '^arn:', '\\u002a', '\\u0000', '**', '*a*', baseArn],
  open: () => ({
    run(input) {
      const [list = '', role = ''] = fieldsOf(input, 2);
      check(list, role, 'glob');
      check(list, role, 'regexp');
    },
  }),
};

function check(text: string, role: string, format: 'glob' | 'regexp'): void {
  const compiled = compileAllowedRoles(text, { format, baseArn });
  const entries = readList(text, format === 'glob' ? 640 : 16_384);
  if (compiled.kind === 'invalid') {
    holds(
      compiled.problem.length < 3_200 && !/[\r\n]/.test(compiled.problem),
      'the problem is not one short line',
    );
    if (format === 'glob') holds(entries === undefined, 'a list was refused that is one');
    return;
  }
  holds(entries !== undefined, 'a list was taken that is none');
  const permitted = compiled.value.permits(role);
  // No role has a longer ARN.
  if (role.length > 640) {
    holds(!permitted, 'a role was permitted that there cannot be');
    return;
  }
  const verdicts = entries.map((entry) => {
    const isWhole = entry.startsWith('arn:') || (format === 'regexp' && entry.startsWith('^arn:'));
    if (!isWhole && !role.startsWith(baseArn)) return false;
    const rest = isWhole ? role : role.slice(baseArn.length);
    return format === 'glob' ? referenceGlob(entry, rest) : referenceMatches(entry, rest);
  });
  if (verdicts.includes(true)) holds(permitted, `${format}: refused, and an entry matches`);
  else if (!verdicts.includes(undefined)) holds(!permitted, `${format}: permitted, and no entry matches`);
}

/** The entries, if it is an array of texts that are not empty, and not too many or too long. */
function readList(text: string, longest: number): readonly string[] | undefined {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(list) || list.length > 500) return undefined;
  return list.every((entry) => typeof entry === 'string' && entry !== '' && entry.length <= longest)
    ? list
    : undefined;
}
