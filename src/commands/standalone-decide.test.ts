import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { makeNamespace, makePod } from '../cluster/testing/make-objects.ts';
import { createDecide } from '../roles/decide.ts';
import { readDecideOptions } from './standalone-decide.ts';
import { standaloneFlags } from './standalone-flags.ts';
import type { StandaloneFlags } from './standalone-settings.ts';

const baseArn = 'arn:aws:iam::123456789012:role/';
const defaults = Object.fromEntries(
  Object.entries(standaloneFlags).map(([key, definition]) => [key, definition.default]),
) as unknown as StandaloneFlags;

function decide(given: Partial<StandaloneFlags>, annotations: Record<string, string>, allowed?: string) {
  const flags = { ...defaults, ...given };
  const { defaultRole } = flags;
  const options = readDecideOptions(flags, {
    baseArn,
    ...(defaultRole === undefined ? {} : { defaultRole }),
  });
  const pod = makePod({ name: 'web', namespace: 'team', annotations, podIPs: ['1.2.3.4'] });
  const namespace = makeNamespace('team', allowed === undefined ? {} : { [flags.namespaceKey]: allowed });
  return createDecide(options)(pod, namespace);
}

const reader = { 'iam.amazonaws.com/role': 'reader' };
const restricted = { namespaceRestrictions: true };

describe('readDecideOptions', () => {
  for (const [title, given, annotations, allowed, kind] of [
    ['without restrictions gives what is annotated', {}, reader, undefined, 'granted'],
    ['without restrictions looks at no list', {}, reader, '["writer"]', 'granted'],
    ['with restrictions wants a list', restricted, reader, undefined, 'forbidden'],
    ['with restrictions takes globs', restricted, reader, '["read*"]', 'granted'],
    ['takes a regexp for a glob by default', restricted, reader, '["read.."]', 'forbidden'],
    [
      'takes regexps if told so',
      { ...restricted, namespaceRestrictionFormat: 'regexp' },
      reader,
      '["read.."]',
      'granted',
    ],
    ['gives no role to a pod that names none', {}, {}, undefined, 'no-role'],
    ['gives it the default role', { defaultRole: 'plain' }, {}, undefined, 'granted'],
    ['restricts the default role', { ...restricted, defaultRole: 'plain' }, {}, '["x"]', 'forbidden'],
    [
      'does not restrict it if told so',
      { ...restricted, defaultRole: 'plain', defaultRoleBypassesRestrictions: true },
      {},
      undefined,
      'granted',
    ],
    [
      'reads other keys',
      { iamRoleKey: 'example.com/role' },
      { 'example.com/role': 'x' },
      undefined,
      'granted',
    ],
    ['reads only other keys then', { iamRoleKey: 'example.com/role' }, reader, undefined, 'no-role'],
    ['reads another list', { ...restricted, namespaceKey: 'example.com/roles' }, reader, '["*"]', 'granted'],
  ] as const) {
    it(title, () => assert.equal(decide(given, annotations, allowed).kind, kind));
  }

  it('names sessions as kiam, or as kube2iam if told so', () => {
    const nameOf = (given: Partial<StandaloneFlags>) => {
      const decision = decide(given, reader);
      return decision.kind === 'granted' ? decision.session.sessionName : decision.kind;
    };
    assert.equal(nameOf({}), 'kiam-kiam');
    assert.equal(nameOf({ sessionNameFormat: 'kube2iam' }), '74445065-reader');
  });

  it('says which flag is wrong', () => {
    assert.throws(() => decide({ defaultRole: 'a b' }, {}), {
      code: 'ERR_ROLE_ARN',
      message: /^--default-role: /,
    });
    assert.throws(() => decide({ iamRoleKey: 'no key' }, {}), {
      code: 'ERR_USAGE',
      message: /--iam-role-key/,
    });
    assert.throws(() => decide({ iamRoleKey: 'a', iamExternalId: 'a' }, {}), { code: 'ERR_USAGE' });
  });
});
