import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fakeCredentials } from '../broker/testing/fake-sessions.ts';
import { grantedTo, makeView } from '../broker/testing/objects.ts';
import type { SessionState } from '../credentials/session.ts';
import type { Decision } from '../roles/decision.ts';
import { carryCredentials } from './carry-credentials.ts';

const issued: SessionState = { kind: 'issued', credentials: fakeCredentials('AKIA', 0) };
const away: SessionState = { kind: 'unavailable', code: 'NetworkError', message: 'STS is away' };
const held = makeView({ name: 'web', session: issued });

function named(sessionName: string, hasExternalId?: true): Decision {
  const { kind, ...granted } = grantedTo('reader');
  assert.equal(kind, 'granted');
  return {
    ...granted,
    kind: 'granted',
    session: { sessionName, ...(hasExternalId && { hasExternalId }) },
  } as Decision;
}

describe('credentials of the last server', () => {
  it('stay where the next one has none yet', () => {
    assert.deepEqual(carryCredentials(held, makeView({ name: 'web' })), held);
  });

  it('stay with the problem where the next one cannot get any', () => {
    const told = makeView({ name: 'web', session: away, addresses: ['10.0.0.2'] });
    const { session, addresses } = carryCredentials(held, told);
    assert.deepEqual(session, { ...issued, problem: { code: 'NetworkError', message: 'STS is away' } });
    assert.deepEqual(addresses, ['10.0.0.2'], 'all else is what the next one says');
  });

  const replaced: [what: string, held: ReturnType<typeof makeView>, told: ReturnType<typeof makeView>][] = [
    ['by newer ones', held, makeView({ name: 'web', session: { ...issued } })],
    ['where the role is another', held, makeView({ name: 'web', decision: grantedTo('writer') })],
    ['where the session is named otherwise', held, makeView({ name: 'web', decision: named('kiam-other') })],
    [
      'where no role is granted',
      held,
      makeView({ name: 'web', decision: { kind: 'no-role', findings: [] } }),
    ],
    [
      'where there is an external id, which may be another',
      makeView({ name: 'web', session: issued, decision: named('kiam-kiam', true) }),
      makeView({ name: 'web', decision: named('kiam-kiam', true) }),
    ],
    ['where there were none', makeView({ name: 'web', session: away }), makeView({ name: 'web' })],
  ];
  for (const [what, before, told] of replaced)
    it(`go ${what}`, () => assert.equal(carryCredentials(before, told), told));
});
