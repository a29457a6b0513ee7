import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Answer } from './broker.ts';
import { type Denial, renderAnswer, renderDenial, renderInvalidRule } from './render-answer.ts';

const caller = { uid: 'uid-1', namespace: 'shop', name: 'web-0' };
const role = { name: '/team/reader', arn: 'arn:aws:iam::123456789012:role/team/reader' };
const annotation = 'iam.amazonaws.com/permitted';
const findings = [] as const;

type Unserved = Exclude<Answer, { kind: 'credentials' }>;

const cases: [string, Unserved, string, string[]][] = [
  ['no role', { kind: 'no-role', caller }, 'NoRole', ['pod shop/web-0', 'Annotate it']],
  [
    'pending',
    { kind: 'pending', caller, role },
    'CredentialsPending',
    ['pod shop/web-0', role.arn, 'Try again'],
  ],
  ['undecided', { kind: 'undecided', caller }, 'PodUndecided', ['pod shop/web-0', 'Try again']],
  [
    'unknown',
    { kind: 'unknown', address: '10.0.0.1' },
    'PodUnknown',
    ['10.0.0.1', 'Try again', 'host network'],
  ],
  [
    'ambiguous',
    { kind: 'ambiguous', address: '10.0.0.1', claimants: [caller, { ...caller, name: 'web-1' }] },
    'AddressAmbiguous',
    ['10.0.0.1', 'shop/web-0', 'shop/web-1'],
  ],
  [
    'refused by STS',
    { kind: 'refused', caller, role, problem: { code: 'AccessDenied', message: 'not authorized.' } },
    'AccessDenied',
    ['pod shop/web-0', role.arn, 'not authorized.', 'trust policy'],
  ],
  [
    'STS away',
    { kind: 'unavailable', caller, role, problem: { code: 'Throttling', message: 'Rate exceeded' } },
    'CredentialsUnavailable',
    ['pod shop/web-0', role.arn, 'Throttling', 'Rate exceeded', 'Try again'],
  ],
  [
    'namespace without annotation',
    {
      kind: 'forbidden',
      caller,
      decision: { kind: 'forbidden', role, refusal: { rule: 'missing', annotation }, findings },
    },
    'RoleForbidden',
    [
      'pod shop/web-0',
      role.name,
      'namespace shop',
      annotation,
      'Set it so that it matches arn:aws:iam::123456789012:role/team/reader',
    ],
  ],
  [
    'namespace that does not permit it',
    {
      kind: 'forbidden',
      caller,
      decision: {
        kind: 'forbidden',
        role,
        refusal: { rule: 'no-match', annotation, expression: 'writer-.*' },
        findings,
      },
    },
    'RoleForbidden',
    [
      'pod shop/web-0',
      role.name,
      'namespace shop',
      annotation,
      '"writer-.*"',
      'does not match',
      'Permit the role',
    ],
  ],
  [
    'namespace with a broken expression',
    {
      kind: 'forbidden',
      caller,
      decision: {
        kind: 'forbidden',
        role,
        refusal: { rule: 'invalid', annotation, expression: '(', problem: 'missing )' },
        findings,
      },
    },
    'RoleForbidden',
    [annotation, '"("', 'which cannot be used: missing )', 'Correct it'],
  ],
  [
    'annotation that cannot be used',
    {
      kind: 'forbidden',
      caller,
      decision: { kind: 'invalid', annotation: 'iam.amazonaws.com/role', problem: 'it is empty', findings },
    },
    'AnnotationInvalid',
    ['iam.amazonaws.com/role', 'pod shop/web-0', 'it is empty', 'Correct the annotation'],
  ],
];

describe('renderAnswer', () => {
  for (const [name, answer, code, parts] of cases) {
    it(`says what happened, to what, and what to do: ${name}`, () => {
      const explanation = renderAnswer(answer);
      assert.equal(explanation.code, code);
      for (const part of parts)
        assert.ok(explanation.message.includes(part), `${part} in ${explanation.message}`);
    });
  }

  it('names no more than five of many claimants', () => {
    const claimants = Array.from({ length: 50 }, (_, i) => ({ ...caller, name: `web-${i}` }));
    const { message } = renderAnswer({ kind: 'ambiguous', address: '10.0.0.1', claimants });
    assert.ok(message.includes('web-4'));
    assert.ok(!message.includes('web-5'));
  });

  it('stays on one printable line that an event can hold, whatever others wrote', () => {
    const hostile = fc.string({ unit: 'binary', maxLength: 3_000 });
    fc.assert(
      fc.property(hostile, hostile, hostile, (one, two, three) => {
        const refusal = { rule: 'invalid', annotation: two, expression: three, problem: one } as const;
        const decision: Denial = { kind: 'forbidden', role: { name: one, arn: two }, refusal, findings };
        const answers: Unserved[] = [
          { kind: 'forbidden', caller: { uid: '', namespace: one, name: two }, decision },
          { kind: 'refused', caller, role: { name: one, arn: two }, problem: { code: one, message: three } },
          { kind: 'unknown', address: three },
        ];
        const ofNamespace = { code: '', message: renderInvalidRule(two, refusal) };
        for (const { code, message } of [...answers.map(renderAnswer), ofNamespace]) {
          assert.ok(message.length <= 1_024);
          assert.ok(code.length <= 256);
          assert.doesNotMatch(message, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
        }
      }),
    );
  });
});

describe('renderDenial', () => {
  it('is what renderAnswer says of a denied pod', () => {
    for (const [, answer] of cases) {
      if (answer.kind !== 'forbidden') continue;
      assert.deepEqual(renderDenial(answer.caller, answer.decision), renderAnswer(answer));
    }
  });

  it('says the same of equal decisions, so that events can be aggregated', () => {
    const decision: Denial = { kind: 'invalid', annotation, problem: 'it is empty', findings };
    assert.deepEqual(renderDenial(caller, decision), renderDenial({ ...caller }, { ...decision }));
  });
});
