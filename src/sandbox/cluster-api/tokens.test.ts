import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  createLocalJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  generateKeyPair,
  jwtVerify,
  SignJWT,
} from 'jose';
import { createSeededRandom } from '../../base/random.ts';
import { accepted, refusal } from './testing/outcomes.ts';
import { testSigningKeys } from './testing/test-cluster.ts';
import { changed, createPod, nodes, pods, serviceAccounts, testStore } from './testing/test-store.ts';
import { createTokens, type Review } from './tokens.ts';

const issuer = 'https://issuer.example';

async function testTokens() {
  const { store, clock } = testStore();
  const signingKeys = await testSigningKeys();
  const random = createSeededRandom(5);
  const tokens = createTokens({ store, clock, random, issuer, audiences: ['api'], signingKeys });
  accepted(store.create(serviceAccounts, { metadata: { name: 'robot', namespace: 'default' } }));
  accepted(store.create(nodes, { metadata: { name: 'node-1' } }));
  const pod = createPod(store, 'web', { spec: { serviceAccountName: 'robot', nodeName: 'node-1' } });
  const request = { audiences: ['sts.amazonaws.com'], expirationSeconds: 600 };
  const issue = async (more = {}) =>
    accepted(await tokens.issue('default', 'robot', { ...request, ...more })).token;
  return { store, clock, tokens, pod, request, issue };
}

function rejection(review: Review): string {
  if (review.kind === 'authenticated') assert.fail(`authenticated: ${JSON.stringify(review)}`);
  return review.reason;
}

function user(review: Review) {
  if (review.kind === 'rejected') assert.fail(review.reason);
  return review.user;
}

describe('issued tokens', () => {
  it('say whose they are, for whom and how long', async () => {
    const { store, clock, issue, pod } = await testTokens();
    const now = Math.floor(clock.now() / 1_000);
    const payload = decodeJwt(await issue({ boundPod: { name: 'web', uid: '' } }));
    assert.equal(payload.iss, issuer);
    assert.equal(payload.sub, 'system:serviceaccount:default:robot');
    assert.deepEqual(payload.aud, ['sts.amazonaws.com']);
    assert.deepEqual([payload.iat, payload.nbf, payload.exp], [now, now, now + 600]);
    const uidOf = (resource: typeof pods, namespace: string, name: string) =>
      store.get(resource, namespace, name)?.metadata.uid;
    assert.deepEqual(payload['kubernetes.io'], {
      namespace: 'default',
      node: { name: 'node-1', uid: uidOf(nodes, '', 'node-1') },
      pod: { name: 'web', uid: pod.metadata.uid },
      serviceaccount: { name: 'robot', uid: uidOf(serviceAccounts, 'default', 'robot') },
    });
  });

  it('name neither pod nor node when they are bound to none', async () => {
    const { issue, store } = await testTokens();
    assert.deepEqual(decodeJwt(await issue())['kubernetes.io'], {
      namespace: 'default',
      serviceaccount: { name: 'robot', uid: store.get(serviceAccounts, 'default', 'robot')?.metadata.uid },
    });
  });

  it('are for the API where nobody else is named', async () => {
    const { issue } = await testTokens();
    assert.deepEqual(decodeJwt(await issue({ audiences: [] })).aud, ['api']);
  });

  it('can be verified with nothing but the published keys, as STS does', async () => {
    const { tokens, clock, issue } = await testTokens();
    const published = await tokens.jwks();
    assert.ok(!JSON.stringify(published).includes('"d":'), 'the private key is published');
    const token = await issue();
    const { kid, alg } = decodeProtectedHeader(token);
    assert.equal(alg, 'RS256');
    assert.equal(published.keys[0]?.kid, kid);
    const keys = createLocalJWKSet({ keys: [...published.keys] });
    const options = { issuer, audience: 'sts.amazonaws.com', currentDate: new Date(clock.now()) };
    assert.equal((await jwtVerify(token, keys, options)).payload.iss, issuer);
  });

  it('each have an id of their own', async () => {
    const { issue } = await testTokens();
    assert.notEqual(decodeJwt(await issue()).jti, decodeJwt(await issue()).jti);
  });

  it('are refused to accounts and pods that are not there', async () => {
    const { tokens, request } = await testTokens();
    refusal(await tokens.issue('default', 'nobody', request), 404, 'NotFound');
    refusal(await tokens.issue('nowhere', 'robot', request), 404, 'NotFound');
    refusal(await tokens.issue('default', 'robot', { ...request, boundPod: { name: 'gone', uid: '' } }), 404);
  });

  it('are refused for a pod of another account, or another pod of that name', async () => {
    const { store, tokens, request } = await testTokens();
    createPod(store, 'other');
    const bound = (name: string, uid = '') =>
      tokens.issue('default', 'robot', { ...request, boundPod: { name, uid } });
    assert.match(refusal(await bound('other'), 400).message ?? '', /different serviceaccount name/);
    refusal(await bound('web', 'another-uid'), 409, 'Conflict');
  });

  it('are signed by a key made on the spot where none is given', async () => {
    const { store, clock } = testStore();
    const tokens = createTokens({ store, clock, random: createSeededRandom(1), issuer, audiences: ['api'] });
    const request = { audiences: [], expirationSeconds: 600 };
    const { token } = accepted(await tokens.issue('default', 'default', request));
    assert.equal((await tokens.review(token, [])).kind, 'authenticated');
  });
});

describe('the review of a token', () => {
  it('says who it is, on which pod and node', async () => {
    const { tokens, issue, pod, store } = await testTokens();
    const token = await issue({ boundPod: { name: 'web', uid: pod.metadata.uid } });
    const review = await tokens.review(token, ['sts.amazonaws.com', 'unrelated']);
    assert.deepEqual(user(review), {
      username: 'system:serviceaccount:default:robot',
      uid: store.get(serviceAccounts, 'default', 'robot')?.metadata.uid,
      groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
      extra: {
        'authentication.kubernetes.io/credential-id': [`JTI=${decodeJwt(token).jti}`],
        'authentication.kubernetes.io/node-name': ['node-1'],
        'authentication.kubernetes.io/node-uid': [store.get(nodes, '', 'node-1')?.metadata.uid],
        'authentication.kubernetes.io/pod-name': ['web'],
        'authentication.kubernetes.io/pod-uid': [pod.metadata.uid],
      },
    });
    assert.deepEqual(review.kind === 'authenticated' && review.audiences, ['sts.amazonaws.com']);
  });

  it('rejects a token for somebody else', async () => {
    const { tokens, issue } = await testTokens();
    const token = await issue();
    assert.match(
      rejection(await tokens.review(token, ['other'])),
      /token audiences \["sts.amazonaws.com"\] is invalid/,
    );
    assert.match(rejection(await tokens.review(token, [])), /target audiences \["api"\]/);
  });

  it('rejects a token after its time and before', async () => {
    const { tokens, clock, issue } = await testTokens();
    const token = await issue({ audiences: [] });
    await clock.advance(599_000);
    assert.equal((await tokens.review(token, [])).kind, 'authenticated');
    await clock.advance(2_000);
    rejection(await tokens.review(token, []));
    clock.step(-700_000);
    rejection(await tokens.review(token, []));
  });

  it('rejects a token whose pod is gone, even if another has its name', async () => {
    const { tokens, store, issue } = await testTokens();
    const token = await issue({ audiences: [], boundPod: { name: 'web', uid: '' } });
    const unbound = await issue({ audiences: [] });
    accepted(store.delete(pods, 'default', 'web'));
    assert.match(rejection(await tokens.review(token, [])), /invalidated/);
    createPod(store, 'web', { spec: { serviceAccountName: 'robot' } });
    assert.match(rejection(await tokens.review(token, [])), /invalidated/);
    assert.equal((await tokens.review(unbound, [])).kind, 'authenticated');
  });

  it('takes the token of a terminating pod for another minute', async () => {
    const { tokens, store, clock, pod, issue } = await testTokens();
    accepted(store.update(pods, changed(pod, { finalizers: ['a/hold'] })));
    const token = await issue({ audiences: [], boundPod: { name: 'web', uid: '' } });
    accepted(store.delete(pods, 'default', 'web'));
    await clock.advance(60_000);
    assert.equal((await tokens.review(token, [])).kind, 'authenticated');
    await clock.advance(1_000);
    assert.match(rejection(await tokens.review(token, [])), /invalidated/);
  });

  it('rejects a token whose service account is gone or another', async () => {
    const { tokens, store, issue } = await testTokens();
    const token = await issue({ audiences: [] });
    accepted(store.delete(serviceAccounts, 'default', 'robot'));
    assert.match(rejection(await tokens.review(token, [])), /invalidated/);
    accepted(store.create(serviceAccounts, { metadata: { name: 'robot', namespace: 'default' } }));
    assert.match(rejection(await tokens.review(token, [])), /invalidated/);
  });

  it('rejects what it did not sign', async () => {
    const { tokens, clock, issue } = await testTokens();
    const payload = decodeJwt(await issue({ audiences: [] }));
    const { privateKey } = await generateKeyPair('RS256');
    const forged = await new SignJWT(payload).setProtectedHeader({ alg: 'RS256' }).sign(privateKey);
    rejection(await tokens.review(forged, []));
    const { kid } = decodeProtectedHeader(await issue());
    const secret = new TextEncoder().encode('0123456789abcdef0123456789abcdef');
    const confused = await new SignJWT(payload)
      .setProtectedHeader({ alg: 'HS256', kid: kid ?? '' })
      .sign(secret);
    rejection(await tokens.review(confused, []));
    const other = createTokens({
      store: testStore().store,
      clock,
      random: createSeededRandom(1),
      issuer: 'https://other',
      audiences: ['api'],
      signingKeys: await testSigningKeys(),
    });
    rejection(await other.review(await issue({ audiences: [] }), []));
  });

  for (const token of ['', 'x', 'a.b.c', 'eyJhbGciOiJub25lIn0.e30.', `${'x'.repeat(20_000)}`]) {
    it(`rejects ${JSON.stringify(token.slice(0, 24))} without repeating it`, async () => {
      const { tokens } = await testTokens();
      const reason = rejection(await tokens.review(token, []));
      if (token.length > 5) assert.ok(!reason.includes(token));
    });
  }
});
