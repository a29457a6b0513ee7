import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock } from '../base/fake-clock.ts';
import { createFakeCluster, type FakeAnswer, type FakeRequest, status } from './testing/fake-cluster.ts';
import { createTokenReviewer } from './token-review.ts';

const token = 'eyJhbGciOi.eyJpc3Mi-Oi_.c2ln';
const never = new AbortController().signal;

const agent = {
  authenticated: true,
  audiences: ['podpass'],
  user: {
    username: 'system:serviceaccount:kube-system:podpass-agent',
    uid: 'sa-uid',
    groups: ['system:serviceaccounts'],
    extra: {
      'authentication.kubernetes.io/pod-name': ['podpass-agent-x7'],
      'authentication.kubernetes.io/pod-uid': ['pod-uid'],
      'authentication.kubernetes.io/node-name': ['node-1'],
      'authentication.kubernetes.io/node-uid': ['node-uid'],
      'authentication.kubernetes.io/credential-id': ['JTI=1'],
    },
  },
};

function create(answer: FakeAnswer | object, audiences?: readonly string[]) {
  const cluster = createFakeCluster({ clock: createFakeClock() });
  const given: FakeAnswer =
    'kind' in answer ? (answer as FakeAnswer) : { kind: 'json', status: 201, body: { status: answer } };
  cluster.intercept = () => given;
  const reviewer = createTokenReviewer({ connection: cluster.connection, ...(audiences && { audiences }) });
  return { reviewer, requests: cluster.requests };
}

describe('the review of a token', () => {
  it('says whose it is, and on which pod and node', async () => {
    const { reviewer } = create(agent, ['podpass']);
    assert.deepEqual(await reviewer.review(token, never), {
      kind: 'authenticated',
      identity: {
        username: 'system:serviceaccount:kube-system:podpass-agent',
        uid: 'sa-uid',
        pod: { name: 'podpass-agent-x7', uid: 'pod-uid' },
        node: { name: 'node-1', uid: 'node-uid' },
      },
    });
  });

  it('asks as the API wants to be asked', async () => {
    const { reviewer, requests } = create(agent, ['podpass']);
    await reviewer.review(token, never);
    const [request] = requests as [FakeRequest];
    assert.equal(request.method, 'POST');
    assert.equal(request.path, '/apis/authentication.k8s.io/v1/tokenreviews');
    assert.deepEqual(request.body, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      spec: { token, audiences: ['podpass'] },
    });
  });

  it('names no audience where none is asked for', async () => {
    const { reviewer, requests } = create({ ...agent, audiences: undefined });
    assert.equal((await reviewer.review(token, never)).kind, 'authenticated');
    const [request] = requests as [FakeRequest];
    assert.deepEqual((request.body as { spec: object }).spec, { token });
  });

  it('knows no pod and no node of a token that is bound to none', async () => {
    const user = { username: 'ann', uid: 'u', extra: {} };
    const { reviewer } = create({ authenticated: true, user });
    assert.deepEqual(await reviewer.review(token, never), {
      kind: 'authenticated',
      identity: { username: 'ann', uid: 'u' },
    });
  });

  it('believes no extra that has not exactly one value of text', async () => {
    for (const odd of [[], ['a', 'b'], 'a', [5], ['x'.repeat(300)], null]) {
      const extra = {
        ...agent.user.extra,
        'authentication.kubernetes.io/pod-uid': odd,
        'authentication.kubernetes.io/node-name': odd,
      };
      const { reviewer } = create({ ...agent, user: { ...agent.user, extra } });
      const outcome = await reviewer.review(token, never);
      assert.ok(outcome.kind === 'authenticated');
      assert.equal(outcome.identity.pod, undefined);
      assert.equal(outcome.identity.node, undefined);
    }
  });

  const refusals: [string, object, readonly string[] | undefined, RegExp][] = [
    [
      'a token that is not good',
      { authenticated: false, error: 'token has expired' },
      undefined,
      /token has expired/,
    ],
    ['a token that is not known', {}, undefined, /does not know the token/],
    [
      'an answer that is not a plain yes',
      { ...agent, authenticated: 'true' },
      undefined,
      /does not know the token/,
    ],
    [
      'a token for others',
      { ...agent, audiences: ['https://kubernetes'] },
      ['podpass'],
      /not meant for podpass/,
    ],
    [
      'the yes of a server that knows no audiences',
      { ...agent, audiences: undefined },
      ['podpass'],
      /not meant for podpass/,
    ],
    ['a user without a name', { authenticated: true, user: {} }, undefined, /named no user/],
  ];
  for (const [what, answer, audiences, message] of refusals) {
    it(`refuses ${what}`, async () => {
      const outcome = await create(answer, audiences).reviewer.review(token, never);
      assert.equal(outcome.kind, 'refused');
      assert.match(outcome.kind === 'refused' ? outcome.message : '', message);
    });
  }

  it('never asks about what cannot be a token', async () => {
    const { reviewer, requests } = create(agent);
    for (const odd of ['', ' ', 'a b', 'a\nb', 'ä', 'x'.repeat(16_385), '{}']) {
      assert.equal((await reviewer.review(odd, never)).kind, 'refused', JSON.stringify(odd));
    }
    assert.equal(requests.length, 0);
  });

  it('never repeats the token', async () => {
    const answers = [
      { authenticated: false, error: `invalid bearer token ${token}` },
      status(500, 'InternalError', `cannot review ${token}`),
      status(403, 'Forbidden', `cannot review ${token}`),
    ];
    for (const answer of answers) {
      const outcome = await create(answer).reviewer.review(token, never);
      assert.ok(
        outcome.kind !== 'authenticated' && !outcome.message.includes(token),
        JSON.stringify(outcome),
      );
    }
  });

  it('says which right is missing', async () => {
    const { reviewer } = create(status(403, 'Forbidden', 'cannot create resource "tokenreviews"'));
    const outcome = await reviewer.review(token, never);
    assert.equal(outcome.kind, 'unreachable');
    assert.match(outcome.kind === 'unreachable' ? outcome.message : '', /system:auth-delegator/);
  });

  it('says nothing about the token while the API server is away', async () => {
    for (const answer of [{ kind: 'unreachable', message: 'away' }, status(503, '', 'busy')] as const) {
      assert.equal((await create(answer).reviewer.review(token, never)).kind, 'unreachable');
    }
  });

  it('rejects with the reason of its signal', async () => {
    const reason = new Error('shutting down');
    await assert.rejects(create(agent).reviewer.review(token, AbortSignal.abort(reason)), reason);
  });
});
