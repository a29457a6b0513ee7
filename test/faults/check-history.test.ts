import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkHistory } from './check-history.ts';
import type { HistoryEvent, PodRequest } from './history.ts';

const options = {
  doors: [
    { name: 'agent', forgets: false, issuers: ['server-1', 'server-2'] },
    { name: 'alone', forgets: true, issuers: ['alone'] },
  ],
  informants: ['server-1', 'server-2', 'api', 'alone'],
  lagMillis: 1_000,
  settleMillis: 5_000,
};
const A = '127.0.0.1';
const B = '127.0.0.2';

function pod(at: number, address: string, uid: string, role: string, door = 'agent'): HistoryEvent {
  return { kind: 'pod', during: { from: at, to: at + 10 }, door, address, uid, role };
}
function gone(at: number, address: string, uid: string): HistoryEvent {
  return { kind: 'gone', during: { from: at, to: at + 10 }, address, uid };
}
function issued(role: string, accessKeyId = `key-${role}`): HistoryEvent {
  return { kind: 'issued', role, accessKeyId };
}
function fault(process: string, from: number, to: number): HistoryEvent {
  return { kind: 'fault', process, during: { from, to } };
}
function asked(
  at: number,
  address: string,
  more: Partial<PodRequest> & { readonly role?: string } = {},
): HistoryEvent {
  const { role, ...others } = more;
  return {
    kind: 'request',
    door: 'agent',
    address,
    during: { from: at, to: at + 5 },
    tries: 1,
    status: role === undefined ? 503 : 200,
    ...(role !== undefined && { accessKeyId: `key-${role}` }),
    ...others,
  };
}

/** Two pods that are served from 10 s on, and at the end. */
const calm = [pod(0, A, 'a', 'web'), pod(0, B, 'b', 'jobs'), issued('web'), issued('jobs')];

/** Each of the two that is still there is served at the end, long after everything. */
function withEnd(events: readonly HistoryEvent[]): HistoryEvent[] {
  const all = [...calm, ...events];
  const end = [A, B].flatMap((address) => {
    const last = all.findLast(
      (event) => (event.kind === 'pod' || event.kind === 'gone') && event.address === address,
    );
    return last?.kind === 'pod' ? [asked(900_000, address, { role: last.role })] : [];
  });
  return [...all, ...end];
}

const cases: [string, readonly HistoryEvent[], readonly string[]][] = [
  ['all is well', [], []],
  ["another pod's role", [asked(20_000, A, { role: 'jobs' })], ['stranger']],
  [
    'credentials that STS never issued',
    [asked(20_000, A, { role: 'web', accessKeyId: 'made up' })],
    ['unknown'],
  ],
  ['no answer while all is well', [asked(20_000, A)], ['lost']],
  ['an answer at the second try while all is well', [asked(20_000, A, { role: 'web', tries: 2 })], ['lost']],
  ['no answer before all has settled', [asked(4_000, A)], []],
  [
    'a process that ended by itself',
    [{ kind: 'died', process: 'agent', how: 'ended with status 1' }],
    ['died'],
  ],

  // A role that changes, a pod that goes, an address that is used again.
  [
    'the role of before, a moment later',
    [
      pod(30_000, A, 'a', 'new'),
      issued('new'),
      asked(30_900, A, { role: 'web' }),
      asked(40_000, A, { role: 'new' }),
    ],
    [],
  ],
  [
    'the role of before, long after',
    [pod(30_000, A, 'a', 'new'), issued('new'), asked(40_000, A, { role: 'web' })],
    ['stranger'],
  ],
  [
    'the role of after, before it was asked for',
    [issued('new'), asked(20_000, A, { role: 'new' }), pod(30_000, A, 'a', 'new')],
    ['stranger'],
  ],
  [
    'credentials of the pod that had the address before',
    [gone(30_000, A, 'a'), pod(32_000, A, 'a2', 'other'), issued('other'), asked(33_500, A, { role: 'web' })],
    ['stranger'],
  ],
  [
    'credentials for an address that nobody has',
    [gone(30_000, A, 'a'), asked(40_000, A, { role: 'web' })],
    ['stranger'],
  ],

  // Whoever informs the door is away.
  [
    'an old role while the API is away',
    [
      fault('api', 29_000, 50_000),
      pod(30_000, A, 'a', 'new'),
      issued('new'),
      asked(45_000, A, { role: 'web' }),
      asked(60_000, A, { role: 'new' }),
    ],
    [],
  ],
  [
    'an old role long after the API was away',
    [
      fault('api', 29_000, 50_000),
      pod(30_000, A, 'a', 'new'),
      issued('new'),
      asked(60_000, A, { role: 'web' }),
    ],
    ['stranger'],
  ],
  [
    'an old role while only STS was away',
    [
      fault('sts', 29_000, 50_000),
      pod(30_000, A, 'a', 'new'),
      issued('new'),
      asked(45_000, A, { role: 'web' }),
    ],
    ['stranger'],
  ],
  [
    "a stranger's role while everything is away",
    [
      fault('api', 29_000, 50_000),
      fault('server-1', 29_000, 50_000),
      fault('server-2', 29_000, 50_000),
      asked(45_000, A, { role: 'jobs' }),
    ],
    ['stranger'],
  ],

  // What must be answered while something is away.
  [
    'no answer of an agent that knew, with both servers away',
    [
      asked(20_000, A, { role: 'web' }),
      fault('server-1', 29_000, 50_000),
      fault('server-2', 29_000, 50_000),
      asked(45_000, A),
    ],
    ['lost'],
  ],
  [
    'no answer of an agent that was killed, too',
    [
      asked(20_000, A, { role: 'web' }),
      fault('server-1', 29_000, 50_000),
      fault('agent', 30_000, 31_000),
      asked(45_000, A),
    ],
    [],
  ],
  [
    'an answer at the second try when the agent was killed',
    [fault('agent', 30_000, 31_000), asked(30_500, A, { role: 'web', tries: 2 })],
    [],
  ],
  [
    'no answer at the second try when only the agent was killed',
    [fault('agent', 30_000, 31_000), asked(30_500, A, { tries: 2 })],
    ['lost'],
  ],
  [
    'no answer, soon after only the agent was killed',
    [fault('agent', 30_000, 31_000), asked(33_000, A, { tries: 2 })],
    ['lost'],
  ],
  [
    'no answer of a standalone node that was killed',
    [
      pod(0, '127.0.0.3', 'c', 'own', 'alone'),
      issued('own'),
      fault('alone', 30_000, 31_000),
      asked(33_000, '127.0.0.3', { door: 'alone' }),
      asked(900_000, '127.0.0.3', { door: 'alone', role: 'own' }),
    ],
    [],
  ],
  [
    'no answer of a standalone node, when all had settled',
    [
      pod(0, '127.0.0.3', 'c', 'own', 'alone'),
      issued('own'),
      fault('alone', 30_000, 31_000),
      asked(37_000, '127.0.0.3', { door: 'alone' }),
      asked(900_000, '127.0.0.3', { door: 'alone', role: 'own' }),
    ],
    ['lost'],
  ],
  [
    'a pod that never came back',
    [pod(0, '127.0.0.3', 'c', 'own'), issued('own'), fault('api', 30_000, 31_000)],
    ['late'],
  ],

  // Calls of STS.
  [
    'one call for each life of each server',
    [fault('server-1', 30_000, 31_000), issued('web', '2'), issued('web', '3')],
    [],
  ],
  [
    'one call more',
    [fault('server-1', 30_000, 31_000), issued('web', '2'), issued('web', '3'), issued('web', '4')],
    ['calls'],
  ],
  [
    'one that STS did not live to answer',
    [fault('sts', 30_000, 31_000), issued('web', '2'), issued('web', '3')],
    [],
  ],
];

describe('the checker of histories', () => {
  for (const [what, events, expected] of cases) {
    it(`finds ${expected.join(' and ') || 'nothing wrong'}: ${what}`, () => {
      const rules = checkHistory(withEnd(events), options).violations.map(({ rule }) => rule);
      assert.deepEqual(rules, expected);
    });
  }

  it('says how many requests had to be answered', () => {
    const early = asked(100, A);
    assert.equal(checkHistory(withEnd([early, asked(20_000, A, { role: 'web' })]), options).owed, 3);
  });

  it('counts a refresh for each time that a session lasts', () => {
    const again = [issued('web', '2'), issued('web', '3'), issued('web', '4')];
    assert.equal(checkHistory(withEnd(again), options).violations[0]?.rule, 'calls');
    const refreshed = checkHistory(withEnd(again), { ...options, refreshMillis: 500_000 });
    assert.deepEqual(refreshed.violations, []);
  });
});
