import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { check } from './check.ts';
import type { FaultFact } from './history.ts';
import { aPod, type HistoryParts, makeHistory, versions } from './testing/make-history.ts';

const rulesOf = (parts: HistoryParts) => check(makeHistory(parts)).map(({ rule }) => rule);

function fault(changes: Partial<FaultFact> = {}): FaultFact {
  return { kind: 'cut', node: undefined, from: 90_000, to: 95_000, recovery: 40_000, ...changes };
}

const other = aPod({ uid: 'uid-b', name: 'b', role: 'writer' });

describe('a history in which every promise was kept', () => {
  const cases: [what: string, parts: HistoryParts][] = [
    ['credentials of the pod that asks', { requests: [{}] }],
    ['its list', { requests: [{ ask: { kind: 'list' }, body: 'reader' }] }],
    ['a token', { requests: [{ ask: { kind: 'token' }, body: 'a token' }] }],
    ['404 for another role', { requests: [{ ask: { kind: 'credentials', role: 'writer' }, status: 404 }] }],
    ['403 where the namespace forbids it', { permitted: undefined, requests: [{ status: 403 }] }],
    [
      '404 without a role',
      { pods: { 'uid-a': versions([0, aPod({ role: undefined })]) }, requests: [{ status: 404 }] },
    ],
    [
      '503 while two pods claim the address',
      {
        pods: { 'uid-a': versions([0, aPod()]), 'uid-b': versions([0, other]) },
        requests: [{ status: 503 }],
      },
    ],
    ['503 for an address of nobody', { requests: [{ address: '10.0.0.9', status: 503 }] }],
    [
      '401 without the token that is required',
      { settings: { requiresToken: true }, requests: [{ status: 401 }] },
    ],
    [
      'credentials of a session that was shorter than was asked for, of a process whose clock was wrong then',
      {
        calls: [{ expiresAt: 159_999 }],
        faults: [fault({ kind: 'clock of server set by -9 s', from: 0, to: 50_000 })],
        requests: [{}],
      },
    ],
    ['503 while something is broken', { faults: [fault()], requests: [{ status: 503 }] }],
    [
      'no answer of a process that was killed',
      {
        ends: new Map([['agent', 100_000]]),
        requests: [{ to: undefined as never, status: undefined as never }],
      },
    ],
    [
      'the last role of a pod whose new one is not known yet',
      {
        pods: { 'uid-a': versions([0, aPod()], [99_900, aPod({ role: 'writer' })]) },
        known: () => 1,
        requests: [{}],
      },
    ],
    [
      'credentials of the last owner of an address while nothing was told of the next',
      {
        pods: { 'uid-a': versions([0, aPod()], [99_950, undefined]), 'uid-b': versions([99_960, other]) },
        known: (_process, key) => (key === 'uid-b' ? 0 : 1),
        requests: [{ sender: 'uid-b' }],
      },
    ],
  ];
  for (const [what, parts] of cases) it(`has ${what}`, () => assert.deepEqual(rulesOf(parts), []));
});

describe('the checker', () => {
  const cases: [rule: string, what: string, parts: HistoryParts][] = [
    ['forged', 'keys that STS never issued', { calls: [], requests: [{}] }],
    ['short-lived', 'credentials in their last minute', { calls: [{ expiresAt: 159_999 }], requests: [{}] }],
    [
      'wrong-credentials',
      'those of the last owner of an address, who was known to be gone',
      {
        pods: { 'uid-a': versions([0, aPod()], [50_000, undefined]), 'uid-b': versions([60_000, other]) },
        requests: [{ sender: 'uid-b' }],
      },
    ],
    [
      'wrong-credentials',
      'those of a role that the pod was known to have no more',
      { pods: { 'uid-a': versions([0, aPod()], [99_000, aPod({ role: 'writer' })]) }, requests: [{}] },
    ],
    [
      'wrong-credentials',
      'a session of another external id',
      { calls: [{ externalId: 'tango' }], requests: [{}] },
    ],
    [
      'wrong-credentials',
      'a session of another name',
      { calls: [{ sessionName: 'kiam-x' }], requests: [{}] },
    ],
    [
      'wrong-credentials',
      'those of a pod on another node',
      { pods: { 'uid-a': versions([0, aPod({ node: 'node-2' })]) }, requests: [{}] },
    ],
    [
      'wrong-credentials',
      'those of a pod that shares the network of its node',
      { pods: { 'uid-a': versions([0, aPod({ hostNetwork: true })]) }, requests: [{}] },
    ],
    [
      'wrong-credentials',
      'those of a pod that has finished',
      { pods: { 'uid-a': versions([0, aPod({ isFinished: true })]) }, requests: [{}] },
    ],
    [
      'wrong-credentials',
      'a role that was not asked for',
      { requests: [{ ask: { kind: 'credentials', role: 'writer' } }] },
    ],
    [
      'not-permitted',
      'a role that the namespace forbids',
      { permitted: 'arn:aws:iam::1:role/x', requests: [{}] },
    ],
    [
      'conflict',
      'credentials while two pods are known to claim the address',
      { pods: { 'uid-a': versions([0, aPod()]), 'uid-b': versions([0, other]) }, requests: [{}] },
    ],
    [
      'served-too-much',
      'a list to a pod without a role',
      {
        pods: { 'uid-a': versions([0, aPod({ role: undefined })]) },
        requests: [{ ask: { kind: 'list' }, body: 'reader' }],
      },
    ],
    ['refused-when-settled', 'a pod that is turned away for nothing', { requests: [{ status: 503 }] }],
    [
      'refused-when-settled',
      'one that is turned away though another server is well',
      {
        faults: [fault({ server: 'server-1', from: 10_000, to: 120_000 })],
        requests: [{ status: 503 }],
      },
    ],
    ['refusal', 'a 404 that nothing explains', { faults: [fault()], requests: [{ status: 404 }] }],
    ['refusal', 'a 403 that nothing explains', { faults: [fault()], requests: [{ status: 403 }] }],
    ['refusal', 'a 500', { faults: [fault()], requests: [{ status: 500 }] }],
    [
      'wrong-list',
      'the name of another role',
      { faults: [fault()], requests: [{ ask: { kind: 'list' }, body: 'writer' }] },
    ],
    ['slow-answer', 'a request that was held too long', { requests: [{ to: 100_900 }] }],
    [
      'no-answer',
      'one that was never answered',
      { requests: [{ to: undefined as never, status: undefined as never }] },
    ],
    [
      'two-calls-at-once',
      'two calls of STS for one session',
      {
        calls: [
          { from: 1_000, to: 2_000 },
          { from: 1_500, to: 2_500, accessKeyId: 'ASIA1' },
        ],
      },
    ],
    [
      'needless-call',
      'a session that is fetched again at once',
      { calls: [{}, { from: 5_000, to: 5_100, accessKeyId: 'ASIA1' }] },
    ],
    [
      'over-budget',
      'more calls than an account may get',
      {
        calls: Array.from({ length: 9 }, (_, i) => ({ sessionName: `kiam-${i}`, accessKeyId: `ASIA${i}` })),
      },
    ],
    [
      'leak',
      'a pod of another node that an agent was told of',
      { leaks: [{ at: 1, server: 'server-1', node: 'node-2', podUid: 'uid-a', hasCredentials: true }] },
    ],
  ];
  for (const [rule, what, parts] of cases) {
    it(`finds ${what}: ${rule}`, () => assert.ok(rulesOf(parts).includes(rule), rulesOf(parts).join()));
  }
});
