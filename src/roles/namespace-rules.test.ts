import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { makeNamespace } from '../cluster/testing/make-objects.ts';
import { defaultAnnotationKeys as keys } from './annotation-keys.ts';
import { createNamespaceRules, type NamespaceRulesOptions } from './namespace-rules.ts';

const baseArn = 'arn:aws:iam::123456789012:role/';
const reader = `${baseArn}reader`;
const options: NamespaceRulesOptions = { keys, baseArn, strictNamespaceRegexp: true };

/** Judges `reader` by these two annotations; `undefined`: not there. */
function judge(permitted?: string, allowed?: string, changed: Partial<NamespaceRulesOptions> = {}) {
  const annotations = {
    ...(permitted !== undefined && { [keys.permitted]: permitted }),
    ...(allowed !== undefined && { [keys.allowedRoles]: allowed }),
  };
  return createNamespaceRules({ ...options, ...changed })(makeNamespace('team', annotations), reader);
}

describe('the rule of namespaces', () => {
  const { permitted, allowedRoles } = keys;
  const table: readonly (readonly [
    permitted: string | undefined,
    allowed: string | undefined,
    refused: string | undefined,
  ])[] = [
    [undefined, undefined, `missing ${permitted}`],
    ['.*', undefined, undefined],
    [undefined, '["*"]', undefined],
    ['.*', '["reader"]', undefined],
    ['.*', '["writer"]', `no-match ${allowedRoles}`],
    ['.*writer', '["*"]', `no-match ${permitted}`],
    ['.*writer', '["writer"]', `no-match ${permitted}`],
    ['', '["*"]', `missing ${permitted}`],
    ['.*', '', `missing ${allowedRoles}`],
    ['(', '["*"]', `invalid ${permitted}`],
    ['.*', '["*", null]', `invalid ${allowedRoles}`],
    ['.*writer', 'reader', `invalid ${allowedRoles}`],
    [undefined, '[]', `no-match ${allowedRoles}`],
  ];
  for (const [kiams, kube2iams, expected] of table) {
    it(`permitted ${kiams}, allowed-roles ${kube2iams}: ${expected ?? 'permitted'}`, () => {
      const { refusal, findings } = judge(kiams, kube2iams);
      assert.equal(refusal && `${refusal.rule} ${refusal.annotation}`, expected);
      const looked = [kiams, kube2iams].filter((text) => text !== undefined).length;
      assert.equal(findings.length, Math.max(looked, 1), 'each annotation that is there is explained');
    });
  }

  it('says what was found in each', () => {
    assert.deepEqual(
      judge('.*', '["writer"]').findings.map(({ lookedAt, found }) => `${lookedAt}: ${found}`),
      [
        `annotation ${permitted} of namespace team: ".*" permits ${reader}`,
        `annotation ${allowedRoles} of namespace team: "[\\"writer\\"]" has no entry that matches the whole of ${reader}`,
      ],
    );
  });

  it('reads lists as regular expressions where that is configured', () => {
    assert.equal(judge(undefined, '["read.r"]').refusal?.rule, 'no-match');
    assert.equal(judge(undefined, '["read.r"]', { allowedRolesFormat: 'regexp' }).refusal, undefined);
  });

  it('advises the annotation that is configured', () => {
    assert.equal(judge(undefined, undefined, { advise: 'allowedRoles' }).refusal?.annotation, allowedRoles);
  });

  it('never permits more for an annotation that is added', () => {
    const kiams = fc.option(fc.constantFrom('.*', '.*reader', 'x', '', '('), { nil: undefined });
    const kube2iams = fc.option(fc.constantFrom('["*"]', '["reader"]', '["x"]', '[]', '', '[""]', 'x'), {
      nil: undefined,
    });
    const permits = (...texts: Parameters<typeof judge>) => judge(...texts).refusal === undefined;
    fc.assert(
      fc.property(kiams, kube2iams, (a, b) => {
        if (!permits(a, b)) return;
        assert.ok(a === undefined || permits(a));
        assert.ok(b === undefined || permits(undefined, b));
        assert.ok(a !== undefined || b !== undefined);
      }),
    );
  });
});
