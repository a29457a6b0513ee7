import { expressionCost } from '../../../src/roles/expression-cost.ts';
import { compilePermittedExpression } from '../../../src/roles/permitted-expression.ts';
import { fieldsOf, joined } from '../engine/text.ts';
import { type FuzzTarget, holds } from '../fuzz-target.ts';
import { referenceMatches } from '../lib/reference-regexp.ts';

const arn = 'arn:aws:iam::123456789012:role/team/reader';

export const target: FuzzTarget = {
  name: 'expression',
  about:
    "a namespace's expression and a role's ARN: what matches is what the anchored expression matches, in bounded time",
  maxBytes: 1_500,
  slowMillis: 400,
  seeds: [
    joined('arn:aws:iam::123456789012:role/team/.*', arn),
    joined('.*', arn),
    joined('reader|writer', arn),
    joined('(arn:aws:iam::[0-9]+:role/)(team/)?(reader|writer)', arn),
    joined('\\Qarn:aws:iam::123456789012:role/\\E[a-z/]+', arn),
    joined('(?i)ARN:.*', arn),
    joined('(a{10}){10}', 'aaaaaaaaaa'),
    joined('[[:alpha:]]+\\pL\\x{41}', 'aaa'),
    joined('(?P<name>a)|^b$|\\bc\\B', 'a'),
  ],
  dictionary: [
    '(?:',
    '(?s:',
    '(?i)',
    '{1000}',
    '{2,}',
    '[^',
    '[[:word:]]',
    '\\Q',
    '\\E',
    '\\pN',
    '\\P{Greek}',
    '\\z',
    '.*',
    '|',
    ')|(',
  ],
  open: () => ({
    run(input) {
      const [expression = '', text = ''] = fieldsOf(input, 2);
      const cost = expressionCost(expression);
      holds(Number.isFinite(cost) && cost >= 0, `the cost is ${cost}`);
      const compiled = compilePermittedExpression(expression);
      if (compiled.kind === 'invalid') {
        holds(
          compiled.problem.length < 1_600 && !/[\r\n]/.test(compiled.problem),
          'the problem is not one short line',
        );
        return;
      }
      const { instructions, matches } = compiled.value;
      // It is the bound that keeps hostile expressions from being compiled, so it must not be too low by much.
      holds(instructions <= Math.max(64, cost * 4), `cost ${cost}, and ${instructions} instructions`);
      const whole = matches(text, true);
      // No role has a longer ARN.
      const expected = text.length > 640 ? false : referenceMatches(expression, text);
      if (expected !== undefined)
        holds(whole === expected, `${whole} for the whole text, and the reference says ${expected}`);
      if (whole) holds(matches(text, false), 'the whole text matches, and no part of it does');
    },
  }),
};
