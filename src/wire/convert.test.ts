import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { PodView } from '../broker/broker.ts';
import { fakeCredentials } from '../broker/testing/fake-sessions.ts';
import { makeView } from '../broker/testing/objects.ts';
import type { SessionState } from '../credentials/session.ts';
import type { Decision, Finding, Refusal } from '../roles/decision.ts';
import { podFromMessage, podToMessage } from './convert.ts';
import { Pod } from './gen/podpass.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 });
const role = fc.record({ name, arn: name });
const problem = fc.record({ code: text, message: text });
const time = fc.integer({ min: 1, max: 8.64e15 });

const refusal: fc.Arbitrary<Refusal> = fc.oneof(
  fc.record({ rule: fc.constant('missing' as const), annotation: text }),
  fc.record({ rule: fc.constant('no-match' as const), annotation: text, expression: text }),
  fc.record({ rule: fc.constant('invalid' as const), annotation: text, expression: text, problem: text }),
);

const finding: fc.Arbitrary<Finding> = fc.record({
  question: fc.constantFrom('role', 'permission', 'session'),
  lookedAt: text,
  found: text,
});

const decision: fc.Arbitrary<Decision> = fc
  .tuple(
    fc.oneof(
      fc.record({
        kind: fc.constant('granted' as const),
        role,
        session: fc.record({ sessionName: text }),
      }),
      fc.record({ kind: fc.constant('no-role' as const) }),
      fc.record({ kind: fc.constant('forbidden' as const), role, refusal }),
      fc.record({ kind: fc.constant('invalid' as const), annotation: text, problem: text }),
      fc.record({ kind: fc.constant('undecided' as const) }),
    ),
    fc.array(finding, { maxLength: 3 }),
  )
  .map(([outcome, findings]) => ({ ...outcome, findings }));

const credentials = fc.record({
  accessKeyId: name,
  secretAccessKey: name,
  sessionToken: name,
  expiration: time,
  issuedAt: time,
  goodUntil: fc.integer({ min: 1, max: 43_200_000 }),
});

const session: fc.Arbitrary<SessionState> = fc.oneof(
  fc.record({ kind: fc.constant('pending' as const) }),
  fc.record(
    { kind: fc.constant('issued' as const), credentials, problem },
    { requiredKeys: ['kind', 'credentials'] },
  ),
  problem.map((value) => ({ kind: 'refused' as const, ...value })),
  problem.map((value) => ({ kind: 'unavailable' as const, ...value })),
);

const view: fc.Arbitrary<PodView> = fc.record({
  uid: name,
  namespace: name,
  name,
  nodeName: text,
  addresses: fc.array(name, { maxLength: 3 }),
  decision,
  session,
});

function throughTheWire(pod: PodView) {
  return podFromMessage(Pod.decode(Pod.encode(podToMessage(pod, 0)).finish()), 0);
}

describe('a pod on the wire', () => {
  it('comes out as it went in', () => {
    fc.assert(
      fc.property(view, (pod) => {
        assert.deepEqual(throughTheWire(pod), { kind: 'ok', value: JSON.parse(JSON.stringify(pod)) });
      }),
    );
  });

  it('leaves the external id behind, and says that there is one', () => {
    const granted: Decision = {
      kind: 'granted',
      role: { name: 'reader', arn: 'arn:aws:iam::123456789012:role/reader' },
      session: { sessionName: 'kiam-kiam', externalId: 'a-very-secret-id' },
      findings: [],
    };
    const bytes = Pod.encode(podToMessage(makeView({ name: 'web', decision: granted }), 0)).finish();
    assert.ok(!Buffer.from(bytes).includes('a-very-secret-id'));
    const read = podFromMessage(Pod.decode(bytes), 0);
    assert.ok(read.kind === 'ok' && read.value.decision.kind === 'granted');
    assert.deepEqual(read.value.decision.session, { sessionName: 'kiam-kiam', hasExternalId: true });
    const passedOn = podFromMessage(podToMessage(read.value, 0), 0);
    assert.deepEqual(passedOn, read, 'who was only told that there is one says so, too');
  });

  it('is read without a throw, whatever bytes it is decoded from', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        let message: Pod;
        try {
          message = Pod.decode(bytes);
        } catch {
          return;
        }
        assert.ok(['ok', 'malformed'].includes(podFromMessage(message, 0).kind));
      }),
    );
  });

  it('counts credentials from their arrival where the server does not say how long they live yet', () => {
    const credentials = fakeCredentials('ASIA', 1_000, 900_000);
    const message = podToMessage(makeView({ name: 'web', session: { kind: 'issued', credentials } }), 0);
    assert.ok(message.session?.state?.$case === 'issued');
    message.session.state.value.leftMillis = 0;
    const read = podFromMessage(Pod.decode(Pod.encode(message).finish()), 5_000);
    assert.ok(read.kind === 'ok' && read.value.session.kind === 'issued');
    assert.equal(read.value.session.credentials.goodUntil, 905_000);
  });

  it('says how long they live yet, and never nothing', () => {
    const credentials = fakeCredentials('ASIA', 1_000, 900_000, 60_000);
    for (const [now, expected] of [
      [10_000.5, 49_999],
      [70_000, 1],
      [-1e12, 43_200_000],
    ] as const) {
      const message = podToMessage(makeView({ name: 'web', session: { kind: 'issued', credentials } }), now);
      assert.ok(message.session?.state?.$case === 'issued');
      assert.equal(message.session.state.value.leftMillis, expected);
    }
  });

  it('believes no server that they live longer than a session can, or no longer at all', () => {
    for (const [said, lifetime, expected] of [
      [90_000_000, 900_000, 43_200_000],
      [0, 90_000_000, 43_200_000],
      [0, -500, 1],
    ] as const) {
      const credentials = fakeCredentials('ASIA', 1_000, lifetime);
      const message = podToMessage(makeView({ name: 'web', session: { kind: 'issued', credentials } }), 0);
      assert.ok(message.session?.state?.$case === 'issued');
      message.session.state.value.leftMillis = said;
      const read = podFromMessage(message, 0);
      assert.ok(read.kind === 'ok' && read.value.session.kind === 'issued');
      assert.equal(read.value.session.credentials.goodUntil, expected);
    }
  });

  it('tolerates fields that this version does not know', () => {
    const bytes = Pod.encode(podToMessage(makeView({ name: 'web' }), 0)).finish();
    // Field 99, a string: what a newer server might add.
    const longer = Buffer.concat([bytes, Buffer.from([0x9a, 0x06, 0x03, 0x6e, 0x65, 0x77])]);
    assert.deepEqual(podFromMessage(Pod.decode(longer), 0), { kind: 'ok', value: makeView({ name: 'web' }) });
  });
});

describe('a message that does not say what it must', () => {
  const good = () =>
    podToMessage(
      makeView({
        name: 'web',
        session: {
          kind: 'issued',
          credentials: {
            accessKeyId: 'A',
            secretAccessKey: 'S',
            sessionToken: 'T',
            expiration: 2,
            issuedAt: 1,
            goodUntil: 1_000,
          },
        },
      }),
      0,
    );

  const cases: [name: string, spoil: (message: Pod) => void, problem: RegExp][] = [
    ['no UID', (m) => Object.assign(m, { uid: '' }), /^identity/],
    ['no namespace', (m) => Object.assign(m, { namespace: '' }), /^identity/],
    ['an empty address', (m) => m.addresses.push(''), /^addresses/],
    ['no decision', (m) => Object.assign(m, { decision: undefined }), /^decision is/],
    [
      'an outcome of a newer version',
      (m) => Object.assign(m.decision ?? {}, { outcome: undefined }),
      /^decision is/,
    ],
    ['no session', (m) => Object.assign(m, { session: undefined }), /^session is/],
    ['a state of a newer version', (m) => Object.assign(m, { session: { state: undefined } }), /^session is/],
    [
      'a grant without a role',
      (m) => setOutcome(m, 'granted', { role: undefined, sessionName: 's' }),
      /granted\.role/,
    ],
    [
      'a grant of a role without an ARN',
      (m) => setOutcome(m, 'granted', { role: { name: 'r', arn: '' }, sessionName: 's' }),
      /granted\.role/,
    ],
    ['a refusal without a role', (m) => setOutcome(m, 'forbidden', { role: undefined }), /forbidden\.role/],
    [
      'a refusal without a rule',
      (m) => setOutcome(m, 'forbidden', { role: { name: 'r', arn: 'a' }, refusal: undefined }),
      /forbidden\.refusal/,
    ],
    [
      'a refusal by a rule of a newer version',
      (m) => setOutcome(m, 'forbidden', { role: { name: 'r', arn: 'a' }, refusal: { rule: 17 } }),
      /forbidden\.refusal/,
    ],
    ['credentials without a secret key', (m) => setIssued(m, { secretAccessKey: '' }), /credentials/],
    ['credentials without a token', (m) => setIssued(m, { sessionToken: '' }), /credentials/],
    ['credentials without an end', (m) => setIssued(m, { expirationMillis: 0 }), /times/],
    ['credentials that end after all dates', (m) => setIssued(m, { expirationMillis: 9e15 }), /times/],
    ['credentials from before 1970', (m) => setIssued(m, { issuedAtMillis: -1 }), /times/],
  ];

  function setOutcome(message: Pod, $case: string, value: object): void {
    Object.assign(message.decision ?? {}, { outcome: { $case, value } });
  }

  function setIssued(message: Pod, changed: object): void {
    const state = message.session?.state;
    assert.ok(state?.$case === 'issued');
    Object.assign(state.value, changed);
  }

  it('is fine before it is spoilt', () => {
    assert.equal(podFromMessage(good(), 0).kind, 'ok');
  });

  for (const [what, spoil, problem] of cases) {
    it(`is malformed with ${what}`, () => {
      const message = good();
      spoil(message);
      const read = podFromMessage(message, 0);
      assert.ok(read.kind === 'malformed');
      assert.match(read.problem, problem);
    });
  }

  it('is fine without an explanation that this version does not know', () => {
    const message = good();
    message.decision?.findings.push({ question: -1, lookedAt: 'a', found: 'b' });
    message.decision?.findings.push({ question: 1, lookedAt: 'c', found: 'd' });
    const read = podFromMessage(message, 0);
    assert.ok(read.kind === 'ok');
    assert.deepEqual(read.value.decision.findings, [{ question: 'role', lookedAt: 'c', found: 'd' }]);
  });
});
