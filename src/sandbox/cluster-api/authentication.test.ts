import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createSeededRandom } from '../../base/random.ts';
import { createAuthentication } from './authentication.ts';
import { accepted, refusal } from './testing/outcomes.ts';
import { testSigningKeys } from './testing/test-cluster.ts';
import { testStore } from './testing/test-store.ts';
import { createTokens } from './tokens.ts';
import { administrator } from './users.ts';

async function testAuthentication() {
  const { store, clock } = testStore();
  const signingKeys = await testSigningKeys();
  const random = createSeededRandom(1);
  const tokens = createTokens({ store, clock, random, issuer: 'https://i', audiences: ['api'], signingKeys });
  const issue = async (audiences: string[]) =>
    accepted(await tokens.issue('default', 'default', { audiences, expirationSeconds: 600 })).token;
  return { issue, authentication: createAuthentication('secret', tokens) };
}

describe('bearer authentication', () => {
  it('knows the administrator by their token', async () => {
    const { authentication } = await testAuthentication();
    for (const header of ['Bearer secret', 'bearer secret', 'Bearer  secret']) {
      assert.equal(accepted(await authentication.authenticate(header)), administrator);
    }
  });

  it('knows service accounts by tokens that are for the API', async () => {
    const { authentication, issue } = await testAuthentication();
    const user = accepted(await authentication.authenticate(`Bearer ${await issue([])}`));
    assert.equal(user.username, 'system:serviceaccount:default:default');
    refusal(
      await authentication.authenticate(`Bearer ${await issue(['sts.amazonaws.com'])}`),
      401,
      'Unauthorized',
    );
  });

  for (const header of [
    '',
    'secret',
    'Bearer',
    'Bearer ',
    'Bearer secre',
    'Bearer secrets',
    'Basic secret',
    'Bearer a b',
  ]) {
    it(`refuses ${JSON.stringify(header)}`, async () => {
      const { authentication } = await testAuthentication();
      refusal(await authentication.authenticate(header), 401, 'Unauthorized');
    });
  }
});

describe('a review', () => {
  it('knows the administrator’s token for the API and for nobody else', async () => {
    const { authentication } = await testAuthentication();
    const own = await authentication.review('secret', []);
    assert.deepEqual(own, { kind: 'authenticated', user: administrator, audiences: ['api'] });
    assert.equal((await authentication.review('secret', ['api', 'x'])).kind, 'authenticated');
    assert.equal((await authentication.review('secret', ['sts.amazonaws.com'])).kind, 'rejected');
  });

  it('passes other tokens on with the audiences that were asked for', async () => {
    const { authentication, issue } = await testAuthentication();
    const token = await issue(['podpass']);
    assert.equal((await authentication.review(token, ['podpass'])).kind, 'authenticated');
    assert.equal((await authentication.review(token, [])).kind, 'rejected');
  });
});
