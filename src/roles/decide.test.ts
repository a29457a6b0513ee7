import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Namespace, Pod } from '../cluster/objects.ts';
import { makeNamespace, makePod } from '../cluster/testing/make-objects.ts';
import { defaultAnnotationKeys } from './annotation-keys.ts';
import { createDecide, type DecideOptions } from './decide.ts';
import type { Decision } from './decision.ts';

const role = 'iam.amazonaws.com/role';
const session = 'iam.amazonaws.com/session-name';
const externalId = 'iam.amazonaws.com/external-id';
const permitted = 'iam.amazonaws.com/permitted';
const reader = 'arn:aws:iam::123456789012:role/reader';
const foreign = 'arn:aws:iam::999999999999:role/reader';

const options: DecideOptions = {
  baseArn: 'arn:aws:iam::123456789012:role/',
  defaultSessionName: 'kiam',
  keys: defaultAnnotationKeys,
  strictNamespaceRegexp: true,
};

const pod = (annotations: Record<string, string>): Pod => makePod({ name: 'web-0', annotations });

const namespace = (annotations: Record<string, string>): Namespace => makeNamespace('default', annotations);

/** Decides about a pod with these annotations in a namespace with this expression; `null`: namespace not seen. */
function decide(
  annotations: Record<string, string>,
  expression: string | null | undefined,
  changed: Partial<DecideOptions> = {},
): Decision {
  const own = expression === undefined || expression === null ? {} : { [permitted]: expression };
  return createDecide({ ...options, ...changed })(
    pod(annotations),
    expression === null ? undefined : namespace(own),
  );
}

describe('createDecide', () => {
  it('grants, with the role as annotated and its ARN, the session, and how it came about', () => {
    assert.deepEqual(
      decide({ [role]: '/reader', [session]: 'my session!', [externalId]: 'shared-secret' }, '.*'),
      {
        kind: 'granted',
        role: { name: '/reader', arn: reader },
        session: { sessionName: 'kiam-my-session-', externalId: 'shared-secret' },
        findings: [
          {
            question: 'role',
            lookedAt: 'annotation iam.amazonaws.com/role of the pod',
            found: `"/reader", which is ${reader}`,
          },
          {
            question: 'permission',
            lookedAt: 'annotation iam.amazonaws.com/permitted of namespace default',
            found: `".*" permits ${reader}`,
          },
          {
            question: 'session',
            lookedAt: 'annotation iam.amazonaws.com/session-name of the pod',
            found: '"my session!": the session is named kiam-my-session-',
          },
          {
            question: 'session',
            lookedAt: 'annotation iam.amazonaws.com/external-id of the pod',
            found: 'set; its value is never shown',
          },
        ],
      } satisfies Decision,
    );
  });

  it('asks STS for the default session name where the pod names none', () => {
    const decision = decide({ [role]: reader }, '.*');
    assert.ok(decision.kind === 'granted');
    assert.deepEqual(decision.session, { sessionName: 'kiam-kiam' });
    assert.equal(decision.findings[0]?.found, reader, 'a full ARN is not said twice');
    assert.equal(decision.findings.at(-1)?.found, 'not set: the session is named kiam-kiam');
  });

  describe('outcomes, in kiam’s order', () => {
    const table: readonly (readonly [
      what: string,
      annotations: Record<string, string>,
      expression: string | null | undefined,
      kind: Decision['kind'],
      found: RegExp,
    ])[] = [
      ['no annotation', {}, '.*', 'no-role', /^not set: the pod is bound to no role$/],
      ['an empty role', { [role]: '' }, '.*', 'no-role', /not set/],
      ['no role, namespace not seen', {}, null, 'no-role', /not set/],
      ['a role, namespace not seen', { [role]: 'reader' }, null, 'undecided', /^not seen yet$/],
      [
        'no expression',
        { [role]: 'reader' },
        undefined,
        'forbidden',
        /^not set: the namespace permits no role$/,
      ],
      ['an empty expression', { [role]: 'reader' }, '', 'forbidden', /^empty: it permits no role$/],
      [
        'another role permitted',
        { [role]: 'reader' },
        '.*/writer',
        'forbidden',
        /does not match the whole of arn:/,
      ],
      [
        'the bare name permitted',
        { [role]: 'reader' },
        'reader',
        'forbidden',
        /"reader" does not match the whole/,
      ],
      [
        'an expression that is none',
        { [role]: 'reader' },
        '(',
        'forbidden',
        /cannot be used as a regular expression/,
      ],
      [
        'own account only, role in another',
        { [role]: foreign },
        '.*:123456789012:.*',
        'forbidden',
        /does not match/,
      ],
      ['any account', { [role]: foreign }, '.*', 'granted', /permits arn:aws:iam::999999999999/],
      [
        'the ARN that stopped kiam',
        { [role]: 'arn:x' },
        '.*',
        'invalid',
        /cannot be used: "arn:x" is not a role ARN/,
      ],
      ['a broken role, namespace not seen', { [role]: 'arn:x' }, null, 'invalid', /cannot be used/],
      ['a space in the role', { [role]: 'reader ' }, '.*', 'invalid', /"reader " contains white space/],
      ['a role of 256 kB', { [role]: 'x'.repeat(256_000) }, '.*', 'invalid', /256000 characters/],
      ['a broken external id', { [role]: 'reader', [externalId]: '"' }, '.*', 'invalid', /at least 2/],
    ];
    for (const [what, annotations, expression, kind, found] of table) {
      it(`${what}: ${kind}`, () => {
        const decision = decide(annotations, expression);
        assert.equal(decision.kind, kind);
        assert.ok(
          decision.findings.some((finding) => found.test(finding.found)),
          JSON.stringify(decision.findings),
        );
      });
    }
  });

  it('says which annotation is invalid and why', () => {
    const decision = decide({ [role]: 'reader', [externalId]: 'se cret' }, '.*');
    assert.ok(decision.kind === 'invalid');
    assert.equal(decision.annotation, externalId);
    assert.match(decision.problem, /white space/);
    assert.equal(decision.findings[0]?.question, 'session');
    assert.doesNotMatch(JSON.stringify(decision), /se cret/);
  });

  it('says what the namespace’s rule was', () => {
    const refusal = (expression?: string) => {
      const decision = decide({ [role]: 'reader' }, expression);
      return decision.kind === 'forbidden' ? decision.refusal : decision.kind;
    };
    assert.deepEqual(refusal(), { rule: 'missing', annotation: permitted });
    assert.deepEqual(refusal('x'), { rule: 'no-match', annotation: permitted, expression: 'x' });
    assert.deepEqual(refusal('('), {
      rule: 'invalid',
      annotation: permitted,
      expression: '(',
      problem: 'missing closing ): `(`',
    });
  });

  it('carries no more of an expression than a person can read', () => {
    for (const expression of ['x'.repeat(5_000), '('.repeat(256_000)]) {
      assert.ok(JSON.stringify(decide({ [role]: 'reader' }, expression)).length < 3_000);
    }
  });

  it('cannot complete a short name without a base ARN, and says what to set', () => {
    const { baseArn: _, ...without } = options;
    const decideWithout = createDecide(without);
    const short = decideWithout(pod({ [role]: 'reader' }), namespace({ [permitted]: '.*' }));
    assert.ok(short.kind === 'invalid');
    assert.match(short.problem, /--role-base-arn/);
    assert.equal(decideWithout(pod({ [role]: reader }), namespace({ [permitted]: '.*' })).kind, 'granted');
  });

  it('searches for any part of the ARN where strictness is switched off', () => {
    assert.equal(decide({ [role]: 'reader' }, 'reader', { strictNamespaceRegexp: false }).kind, 'granted');
    const refused = decide({ [role]: 'reader' }, 'writer', { strictNamespaceRegexp: false });
    assert.match(refused.findings.at(-1)?.found ?? '', /"writer" matches no part of arn:/);
  });

  it('reads the keys that are configured', () => {
    const keys = { ...defaultAnnotationKeys, role: 'example.com/role', permitted: 'toString' };
    const decideOwn = createDecide({ ...options, keys });
    const ours = pod({ 'example.com/role': 'reader', [role]: 'writer' });
    const decision = decideOwn(ours, namespace({ toString: '.*' }));
    assert.equal(decision.kind === 'granted' && decision.role.arn, reader);
    assert.match(decision.findings[0]?.lookedAt ?? '', /example\.com\/role/);
    // What every object inherits is not an annotation.
    assert.equal(decideOwn(ours, namespace({})).kind, 'forbidden');
  });

  it('never throws, never tells the external id, and grants only what was permitted', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.string({ unit: fc.constantFrom(...'arn:aws/iamole0123456789.*()|'), maxLength: 60 }),
      fc.constantFrom('reader', 'team/reader', reader, foreign, 'arn:x', '.*', ''),
    );
    const secret = fc.oneof(
      fc.uuid(),
      fc.uuid().map((id) => `${id} `),
    );
    const decideAll = createDecide(options);
    fc.assert(
      fc.property(text, text, secret, text, (roleText, sessionText, id, expression) => {
        const decision = decideAll(
          pod({ [role]: roleText, [session]: sessionText, [externalId]: id }),
          namespace({ [permitted]: expression }),
        );
        const { findings } = decision;
        assert.ok(findings.length > 0);
        assert.doesNotMatch(JSON.stringify(findings), new RegExp(id.trim()));
        if (decision.kind === 'invalid') assert.doesNotMatch(decision.problem, new RegExp(id.trim()));
        for (const { lookedAt, found } of findings)
          assert.doesNotMatch(lookedAt + found, /[\p{Cc}\p{Zl}\p{Zp}]/u);
        if (decision.kind === 'granted') {
          assert.notEqual(expression, '');
          assert.match(decision.role.arn, /^arn:aws[a-z-]*:iam::\d{12}:role\/[\x21-\x7e]+$/);
          assert.match(decision.session.sessionName, /^[\w+=,.@-]{2,64}$/);
          assert.equal(decision.session.externalId, id);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('depends on the annotations and on nothing else', () => {
    const decideTwice = createDecide(options);
    const annotations = { [role]: 'reader', [session]: 's' };
    const first = decideTwice(pod(annotations), namespace({ [permitted]: '.*' }));
    const again = decideTwice(
      { ...pod(annotations), resourceVersion: '9', phase: 'Pending', podIPs: [] },
      {
        ...namespace({ [permitted]: '.*' }),
        resourceVersion: '9',
      },
    );
    assert.deepEqual(again, first);
  });

  it('gives the pods of one workload one decision, and others their own', () => {
    const share = createDecide(options);
    const open = namespace({ [permitted]: '.*' });
    const annotations = { [role]: 'reader', [session]: 's', [externalId]: 'shared-secret' };
    const first = share(pod(annotations), open);
    assert.equal(share({ ...pod({ ...annotations }), uid: 'pod-2', name: 'web-1' }, open), first);
    for (const changed of [{ [role]: 'writer' }, { [session]: 't' }, { [externalId]: 'other-secret' }]) {
      assert.notDeepEqual(share(pod({ ...annotations, ...changed }), open), first);
    }
    assert.equal(share(pod(annotations), namespace({ [permitted]: 'x' })).kind, 'forbidden');
    assert.equal(share(pod({}), open), share(pod({ other: 'x' }), undefined));
  });

  it('cannot be made to confuse bindings by what they are written with', () => {
    const share = createDecide(options);
    const open = namespace({ [permitted]: '.*' });
    const binding = fc.record({
      [role]: fc.constantFrom('a', 'b', '","', 'a","b'),
      [session]: fc.string({ maxLength: 5 }),
    });
    fc.assert(
      fc.property(fc.array(binding, { maxLength: 20 }), (bindings) => {
        for (const annotations of bindings) {
          assert.deepEqual(share(pod(annotations), open), createDecide(options)(pod(annotations), open));
        }
      }),
    );
  });

  it('goes on deciding rightly when more bindings come than it remembers', () => {
    const share = createDecide(options);
    const open = namespace({ [permitted]: '.*role/r1.*' });
    for (let i = 0; i < 2_500; i++) {
      const { kind } = share(pod({ [role]: `r${i}` }), open);
      assert.equal(kind, String(i).startsWith('1') ? 'granted' : 'forbidden', String(i));
    }
    assert.equal(share(pod({ [role]: 'r1' }), open).kind, 'granted');
  });

  describe('the default role', () => {
    const defaultRole = (bypassesRestrictions: boolean) => ({
      defaultRole: { role: { name: 'reader', arn: reader }, bypassesRestrictions },
    });

    it('is that of pods that name none, and obeys the namespace', () => {
      for (const annotations of [{}, { [role]: '' }]) {
        const granted = decide(annotations, '.*', defaultRole(false));
        assert.deepEqual(granted.kind === 'granted' && granted.role, { name: 'reader', arn: reader });
        assert.match(granted.findings[0]?.found ?? '', /^not set: the default role is "reader"/);
        assert.equal(decide(annotations, '.*writer', defaultRole(false)).kind, 'forbidden');
        assert.equal(decide(annotations, null, defaultRole(false)).kind, 'undecided');
      }
    });

    it('never takes the place of a role that is named', () => {
      const named = decide({ [role]: 'writer' }, '.*', defaultRole(true));
      assert.equal(named.kind === 'granted' && named.role.name, 'writer');
      assert.equal(decide({ [role]: 'arn:x' }, '.*', defaultRole(true)).kind, 'invalid');
      assert.equal(decide({ [role]: 'writer' }, '.*reader', defaultRole(true)).kind, 'forbidden');
    });

    it('goes past the namespace only where that is configured', () => {
      for (const annotations of [{}, { [role]: reader }]) {
        const granted = decide(annotations, undefined, defaultRole(true));
        assert.equal(granted.kind, 'granted');
        assert.match(granted.findings[1]?.found ?? '', /permitted whatever a namespace says/);
        assert.equal(decide(annotations, undefined, defaultRole(false)).kind, 'forbidden');
      }
    });

    it('takes the external id of the pod', () => {
      const granted = decide({ [externalId]: 'shared-secret' }, '.*', defaultRole(false));
      assert.equal(granted.kind === 'granted' && granted.session.externalId, 'shared-secret');
    });
  });

  it('looks at no namespace where namespaces are not restricted', () => {
    for (const expression of [null, undefined, '(', 'x']) {
      const granted = decide({ [role]: 'reader' }, expression, { namespaceRestrictions: false });
      assert.equal(granted.kind, 'granted');
      assert.equal(granted.findings[1]?.lookedAt, 'configuration');
      assert.equal(decide({}, expression, { namespaceRestrictions: false }).kind, 'no-role');
    }
  });

  it('names sessions by the pod’s address in kube2iam’s way, each by its own', () => {
    const byAddress = createDecide({ ...options, sessionNameFormat: 'kube2iam' });
    const open = namespace({ [permitted]: '.*' });
    const at = (podIPs: readonly string[]) => {
      const decision = byAddress({ ...pod({ [role]: 'reader', [session]: 'own' }), podIPs }, open);
      return decision.kind === 'granted' ? decision.session.sessionName : decision.kind;
    };
    assert.equal(at(['10.0.0.1']), 'debebe8d-reader');
    assert.equal(at(['1.2.3.4']), '74445065-reader');
    assert.equal(at([]), 'undecided');
    assert.equal(at(['10.0.0.1']), 'debebe8d-reader');
  });
});
