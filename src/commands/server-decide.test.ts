import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { makeNamespace, makePod } from '../cluster/testing/make-objects.ts';
import { createDecide } from '../roles/decide.ts';
import { readServerDecideOptions } from './server-decide.ts';
import { serverFlags } from './server-flags.ts';

const baseArn = 'arn:aws:iam::123456789012:role/';
const allowedKey = 'iam.amazonaws.com/allowed-roles';
const permittedKey = 'iam.amazonaws.com/permitted';
const defaults = {
  disableStrictNamespaceRegexp: serverFlags.disableStrictNamespaceRegexp.default ?? false,
  namespaceKey: serverFlags.namespaceKey.default ?? '',
  namespaceRestrictionFormat: serverFlags.namespaceRestrictionFormat.default ?? 'glob',
  session: serverFlags.session.default ?? '',
  sessionNameFormat: serverFlags.sessionNameFormat.default ?? 'kiam',
} as const;
type Given = Partial<Parameters<typeof readServerDecideOptions>[0]>;

/** The session's name, or why there is none. */
function decide(given: Given, rules: Record<string, string>): string {
  const pod = makePod({
    name: 'web',
    namespace: 'team',
    annotations: { 'iam.amazonaws.com/role': 'reader' },
    podIPs: ['1.2.3.4'],
  });
  const options = readServerDecideOptions({ ...defaults, ...given }, baseArn);
  const decision = createDecide(options)(pod, makeNamespace('team', rules));
  if (decision.kind === 'forbidden') return `${decision.refusal.rule} ${decision.refusal.annotation}`;
  return decision.kind === 'granted' ? decision.session.sessionName : decision.kind;
}

describe('readServerDecideOptions', () => {
  const table: readonly (readonly [
    title: string,
    given: Given,
    rules: Record<string, string>,
    found: string,
  ])[] = [
    ['refuses where no rule is', {}, {}, `missing ${permittedKey}`],
    ["takes kiam's rule", {}, { [permittedKey]: '.*/reader' }, 'kiam-kiam'],
    ['wants all of the ARN', {}, { [permittedKey]: 'reader' }, `no-match ${permittedKey}`],
    [
      'takes any part of it if told so',
      { disableStrictNamespaceRegexp: true },
      { [permittedKey]: 'reader' },
      'kiam-kiam',
    ],
    ["takes kube2iam's rule", {}, { [allowedKey]: '["read*"]' }, 'kiam-kiam'],
    ['takes globs for globs', {}, { [allowedKey]: '["read.r"]' }, `no-match ${allowedKey}`],
    [
      'takes regexps if told so',
      { namespaceRestrictionFormat: 'regexp' },
      { [allowedKey]: '["read.r"]' },
      'kiam-kiam',
    ],
    [
      'takes the rule from another annotation if told so',
      { namespaceKey: 'example.com/roles' },
      { 'example.com/roles': '["reader"]', [allowedKey]: '["writer"]' },
      'kiam-kiam',
    ],
    ["names sessions as kiam's --session", { session: 'prod' }, { [allowedKey]: '["*"]' }, 'kiam-prod'],
    [
      'names them as kube2iam if told so',
      { sessionNameFormat: 'kube2iam' },
      { [allowedKey]: '["*"]' },
      '74445065-reader',
    ],
  ];
  for (const [title, given, rules, found] of table) {
    it(title, () => assert.equal(decide(given, rules), found));
  }

  it('says which flag is wrong', () => {
    for (const namespaceKey of ['no key', permittedKey]) {
      assert.throws(() => decide({ namespaceKey }, {}), {
        code: 'ERR_USAGE',
        message: /^--namespace-key cannot be used as it is: /,
      });
    }
  });
});
