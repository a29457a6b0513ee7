import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { exportJWK, type GenerateKeyPairResult, generateKeyPair, type JSONWebKeySet, SignJWT } from 'jose';
import { account, call, credentialsOf, role, signedCall, startSts, trust } from './sts.fixture.ts';
import type { OidcProvider } from './web-identity-token.ts';

const issuer = 'https://oidc.example/clusters/one';
const providerArn = `arn:aws:iam::${account}:oidc-provider/oidc.example/clusters/one`;
const subject = 'system:serviceaccount:default:web';
const roleArn = `arn:aws:iam::${account}:role/irsa`;

const irsa = role(
  roleArn,
  trust(
    { Federated: providerArn },
    {
      Action: 'sts:AssumeRoleWithWebIdentity',
      Condition: {
        StringEquals: { 'oidc.example/clusters/one:aud': 'sts.amazonaws.com' },
        StringLike: { 'oidc.example/clusters/one:sub': 'system:serviceaccount:default:*' },
      },
    },
  ),
  { maxSessionDuration: 43_200 },
);

describe('createSts: AssumeRoleWithWebIdentity', () => {
  let keys: GenerateKeyPairResult;
  let strangers: GenerateKeyPairResult;
  let jwks: JSONWebKeySet;

  before(async () => {
    keys = await generateKeyPair('ES256');
    strangers = await generateKeyPair('ES256');
    jwks = { keys: [{ ...(await exportJWK(keys.publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' }] };
  });

  function start(provider: Partial<OidcProvider> = {}) {
    const oidcProviders = new Map([[issuer, { getJwks: async () => jwks, ...provider }]]);
    return startSts([irsa], { oidcProviders });
  }

  interface TokenOptions {
    readonly iss?: string;
    readonly sub?: string | null;
    readonly aud?: string | readonly string[];
    readonly key?: CryptoKey;
    /** Seconds from the fake clock's start. */
    readonly exp?: number;
  }

  async function token(at: number, options: TokenOptions = {}): Promise<string> {
    const {
      iss = issuer,
      sub = subject,
      aud = 'sts.amazonaws.com',
      key = keys.privateKey,
      exp = 3_600,
    } = options;
    const jwt = new SignJWT({ iss, aud: [...[aud].flat()] })
      .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
      .setIssuedAt(at / 1_000)
      .setExpirationTime(at / 1_000 + exp);
    if (sub !== null) jwt.setSubject(sub);
    return await jwt.sign(key);
  }

  function request(webIdentityToken: string, extra: Readonly<Record<string, string>> = {}) {
    const body = new URLSearchParams({
      Action: 'AssumeRoleWithWebIdentity',
      Version: '2011-06-15',
      RoleArn: roleArn,
      RoleSessionName: 'web-session',
      WebIdentityToken: webIdentityToken,
      ...extra,
    });
    return { method: 'POST', target: '/', headers: {}, body: Buffer.from(body.toString()) };
  }

  it('issues a session to whoever holds a good token, without a signature', async () => {
    const { sts, clock } = start();
    const called = await call(sts, request(await token(clock.now())));
    assert.equal(called.status, 200, called.body);
    assert.equal(called.elements.Arn, `arn:aws:sts::${account}:assumed-role/irsa/web-session`);
    assert.equal(called.elements.SubjectFromWebIdentityToken, subject);
    assert.equal(called.elements.Audience, 'sts.amazonaws.com');
    assert.equal(called.elements.Provider, providerArn);
    assert.equal(called.elements.Expiration, '2026-01-01T01:00:00Z');
    const whoami = signedCall(
      { Action: 'GetCallerIdentity' },
      { credentials: credentialsOf(called), at: clock.now() },
    );
    assert.equal((await call(sts, whoami)).elements.Arn, called.elements.Arn);
    assert.equal(sts.calls[0]?.outcome, 'ok');
    assert.equal(sts.calls[0]?.caller, undefined);
  });

  it('is where a role chain begins: twelve hours are allowed', async () => {
    const { sts, clock } = start();
    const called = await call(sts, request(await token(clock.now()), { DurationSeconds: '43200' }));
    assert.equal(called.elements.Expiration, '2026-01-01T12:00:00Z');
  });

  it('takes a token for several audiences', async () => {
    const { sts, clock } = start();
    const many = await token(clock.now(), { aud: ['vault', 'sts.amazonaws.com'] });
    assert.equal((await call(sts, request(many))).status, 200);
  });

  const refusals: readonly (readonly [
    what: string,
    options: TokenOptions,
    status: number,
    code: string,
    message: RegExp,
  ])[] = [
    [
      'a subject that the role does not trust',
      { sub: 'system:serviceaccount:kube-system:x' },
      403,
      'AccessDenied',
      /^Not authorized to perform sts:AssumeRoleWithWebIdentity$/,
    ],
    [
      'an issuer that is not registered',
      { iss: 'https://elsewhere.example' },
      400,
      'InvalidIdentityToken',
      /^No OpenIDConnect provider found in your account for https:\/\/elsewhere\.example$/,
    ],
    [
      'another audience',
      { aud: 'https://kubernetes.default.svc' },
      400,
      'InvalidIdentityToken',
      /^Incorrect token audience$/,
    ],
    ['a token without a subject', { sub: null }, 400, 'InvalidIdentityToken', /claim sub/],
    [
      'a token that is over',
      { exp: -1 },
      400,
      'ExpiredTokenException',
      /^Token expired: current date\/time 1767225600 must be before the expiration date\/time 1767225599$/,
    ],
  ];
  for (const [what, options, status, code, message] of refusals) {
    it(`answers ${code} to ${what}`, async () => {
      const { sts, clock } = start();
      const called = await call(sts, request(await token(clock.now(), options)));
      assert.equal(called.status, status);
      assert.equal(called.elements.Code, code);
      assert.match(called.elements.Message ?? '', message);
    });
  }

  it('takes no key but the issuer’s', async () => {
    const { sts, clock } = start();
    const forged = await token(clock.now(), { key: strangers.privateKey });
    const called = await call(sts, request(forged));
    assert.equal(called.elements.Code, 'InvalidIdentityToken');
    assert.match(called.elements.Message ?? '', /verification key/);
  });

  it('takes no token without a signature', async () => {
    const { sts, clock } = start();
    const [, claims] = (await token(clock.now())).split('.');
    const header = Buffer.from('{"alg":"none"}').toString('base64url');
    const called = await call(sts, request(`${header}.${claims}.`));
    assert.equal(called.elements.Code, 'InvalidIdentityToken');
  });

  it('takes nothing that is no token, and does not repeat it', async () => {
    const { sts } = start();
    const called = await call(sts, request('not-a-token-but-a-secret'));
    assert.equal(called.elements.Code, 'InvalidIdentityToken');
    assert.doesNotMatch(called.body, /secret/);
  });

  it('says when the issuer cannot be asked for its keys', async () => {
    const { sts, clock } = start({ getJwks: () => Promise.reject(new Error('away')) });
    const called = await call(sts, request(await token(clock.now())));
    assert.equal(called.status, 400);
    assert.equal(called.elements.Code, 'IDPCommunicationError');
  });

  it('waits five seconds for the issuer’s keys, and no longer', async () => {
    const { sts, clock } = start({ getJwks: () => new Promise<never>(() => {}) });
    const answer = call(sts, request(await token(clock.now())));
    await clock.advance(5_000);
    assert.equal((await answer).elements.Code, 'IDPCommunicationError');
    assert.equal(clock.pending, 0);
  });

  it('takes a client id that is registered besides', async () => {
    const { sts, clock } = start({ audiences: ['my-app'] });
    const mine = await call(sts, request(await token(clock.now(), { aud: 'my-app' })));
    // The provider knows the audience; the role's own condition does not.
    assert.equal(mine.elements.Code, 'AccessDenied');
    const usual = await call(sts, request(await token(clock.now())));
    assert.equal(usual.elements.Message, 'Incorrect token audience');
  });

  it('refuses what is missing or malformed', async () => {
    const { sts, clock } = start();
    const good = await token(clock.now());
    for (const extra of [{ RoleSessionName: 'a b' }, { RoleArn: 'x' }, { DurationSeconds: '1' }]) {
      assert.equal((await call(sts, request(good, extra))).elements.Code, 'ValidationError');
    }
    const notRole = await call(sts, request(good, { RoleArn: providerArn }));
    assert.equal(notRole.elements.Message, 'Request ARN is invalid');
  });

  it('says nothing of whether a role exists', async () => {
    const { sts, clock, readerArn } = start();
    const good = await token(clock.now());
    const untrusting = await call(sts, request(good, { RoleArn: readerArn }));
    const missing = await call(sts, request(good, { RoleArn: `${readerArn}-missing` }));
    for (const key of ['Code', 'Message']) {
      assert.equal(untrusting.elements[key], missing.elements[key]);
    }
  });
});
