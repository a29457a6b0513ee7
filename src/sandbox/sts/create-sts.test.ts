import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  account,
  call,
  credentialsOf,
  otherAccount,
  role,
  serverArn,
  signedCall,
  startSts,
  trust,
} from './sts.fixture.ts';
import type { StsHttpRequest } from './sts-http.ts';

const identity = { Action: 'GetCallerIdentity' };

function assume(roleArn: string, extra: Readonly<Record<string, string>> = {}) {
  return { Action: 'AssumeRole', RoleArn: roleArn, RoleSessionName: 'kiam-web', ...extra };
}

describe('createSts: GetCallerIdentity', () => {
  it('names the session, its account and its id', async () => {
    const { sts, clock, credentials } = startSts();
    const { status, elements } = await call(sts, signedCall(identity, { credentials, at: clock.now() }));
    assert.equal(status, 200);
    assert.equal(elements.Arn, `arn:aws:sts::${account}:assumed-role/podpass-server/i-0123456789abcdef0`);
    assert.equal(elements.Account, account);
    assert.match(elements.UserId ?? '', /^AROA[A-Z2-7]{17}:i-0123456789abcdef0$/);
    assert.match(elements.RequestId ?? '', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  });

  it('takes the call as GET as well', async () => {
    const { sts, clock, credentials } = startSts();
    const request = signedCall(identity, { credentials, at: clock.now(), method: 'GET' });
    assert.equal((await call(sts, request)).elements.Account, account);
  });

  it('answers in the namespace and order of elements that SDKs read', async () => {
    const { sts, clock, credentials } = startSts();
    const { body } = await call(sts, signedCall(identity, { credentials, at: clock.now() }));
    assert.match(
      body,
      /^<GetCallerIdentityResponse xmlns="https:\/\/sts\.amazonaws\.com\/doc\/2011-06-15\/"><GetCallerIdentityResult><Arn>[^<]+<\/Arn><UserId>[^<]+<\/UserId><Account>\d{12}<\/Account><\/GetCallerIdentityResult><ResponseMetadata><RequestId>[^<]+<\/RequestId><\/ResponseMetadata><\/GetCallerIdentityResponse>$/,
    );
  });
});

describe('createSts: who is calling', () => {
  type Change = (request: StsHttpRequest) => StsHttpRequest;
  const header =
    (name: string, value: string): Change =>
    (request) => ({ ...request, headers: { ...request.headers, [name]: value } });
  const without =
    (name: string): Change =>
    (request) => ({
      ...request,
      headers: Object.fromEntries(Object.entries(request.headers).filter(([key]) => key !== name)),
    });
  const cases: readonly (readonly [what: string, change: Change, status: number, code: string])[] = [
    ['no signature', without('authorization'), 403, 'MissingAuthenticationToken'],
    ['a signature of another kind', header('authorization', 'Bearer abc'), 400, 'IncompleteSignature'],
    ['a signature without a date', without('x-amz-date'), 400, 'IncompleteSignature'],
    ['a date that is none', header('x-amz-date', '20261399T000000Z'), 400, 'IncompleteSignature'],
    ['no session token', without('x-amz-security-token'), 403, 'InvalidClientTokenId'],
    ['a session token of its own', header('x-amz-security-token', 'abc'), 403, 'InvalidClientTokenId'],
    ['another host than was signed', header('host', 'sts.example'), 403, 'SignatureDoesNotMatch'],
    [
      'a body that was changed on the way',
      (request) => ({ ...request, body: Buffer.from('Action=GetCallerIdentity&Version=2011-06-15&x=1') }),
      403,
      'SignatureDoesNotMatch',
    ],
    [
      'a body hash that is not the body’s',
      header('x-amz-content-sha256', 'UNSIGNED-PAYLOAD'),
      403,
      'SignatureDoesNotMatch',
    ],
  ];
  for (const [what, change, status, code] of cases) {
    it(`answers ${code} to ${what}`, async () => {
      const { sts, clock, credentials } = startSts();
      const request = change(signedCall(identity, { credentials, at: clock.now() }));
      const called = await call(sts, request);
      assert.equal(called.elements.Code, code);
      assert.equal(called.status, status);
    });
  }

  it('answers InvalidClientTokenId to an access key it has not issued', async () => {
    const { sts, clock, credentials } = startSts();
    const stranger = { ...credentials, accessKeyId: 'ASIAAAAAAAAAAAAAAAAA' };
    const called = await call(sts, signedCall(identity, { credentials: stranger, at: clock.now() }));
    assert.equal(called.status, 403);
    assert.equal(called.elements.Code, 'InvalidClientTokenId');
    assert.equal(called.elements.Message, 'The security token included in the request is invalid.');
  });

  it('answers SignatureDoesNotMatch to the wrong secret', async () => {
    const { sts, clock, credentials } = startSts();
    const thief = { ...credentials, secretAccessKey: 'guess' };
    const called = await call(sts, signedCall(identity, { credentials: thief, at: clock.now() }));
    assert.equal(called.status, 403);
    assert.equal(called.elements.Code, 'SignatureDoesNotMatch');
    assert.match(called.elements.Message ?? '', /^The request signature we calculated does not match/);
  });

  it('takes no signature made for another service', async () => {
    const { sts, clock, credentials } = startSts();
    const called = await call(sts, signedCall(identity, { credentials, at: clock.now(), service: 's3' }));
    assert.equal(called.elements.Code, 'SignatureDoesNotMatch');
    assert.match(called.elements.Message ?? '', /correct service: 'sts'/);
  });

  it('bears clocks that are five minutes apart, and no more', async () => {
    const { sts, clock, credentials } = startSts();
    for (const [off, expected] of [
      [-300_000, undefined],
      [300_000, undefined],
      [
        -301_000,
        /^Signature expired: 20251231T235459Z is now earlier than 20251231T235500Z \(20260101T000000Z - 5 min\.\)$/,
      ],
      [
        301_000,
        /^Signature not yet current: 20260101T000501Z is still later than 20260101T000500Z \(20260101T000000Z \+ 5 min\.\)$/,
      ],
    ] as const) {
      const called = await call(sts, signedCall(identity, { credentials, at: clock.now() + off }));
      assert.equal(called.elements.Code, expected && 'SignatureDoesNotMatch', `off by ${off} ms`);
      if (expected) assert.match(called.elements.Message ?? '', expected);
    }
  });

  it('answers ExpiredToken from the moment a session ends', async () => {
    const { sts, clock, credentials } = startSts();
    await clock.advance(credentials.expiration - clock.now() - 1);
    assert.equal((await call(sts, signedCall(identity, { credentials, at: clock.now() }))).status, 200);
    await clock.advance(1);
    const called = await call(sts, signedCall(identity, { credentials, at: clock.now() }));
    assert.equal(called.status, 403);
    assert.equal(called.elements.Code, 'ExpiredToken');
    assert.equal(called.elements.Message, 'The security token included in the request is expired');
  });
});

describe('createSts: the Query protocol', () => {
  it('answers InvalidAction to an action it does not have', async () => {
    const { sts, clock, credentials } = startSts();
    const request = signedCall({ Action: 'GetFederationToken' }, { credentials, at: clock.now() });
    const { status, body, elements } = await call(sts, request);
    assert.equal(status, 400);
    assert.match(body, /^<ErrorResponse xmlns="[^"]+"><Error><Type>Sender<\/Type><Code>InvalidAction</);
    assert.equal(elements.Message, 'Could not find operation GetFederationToken for version 2011-06-15');
  });

  for (const [what, target, code] of [
    ['no action', '/', 'MissingAction'],
    ['another version', '/?Action=AssumeRole&Version=2010-01-01', 'NoSuchVersion'],
    ['another path', '/v2?Action=AssumeRole', 'UnknownOperationException'],
  ] as const) {
    it(`answers ${code} to ${what}`, async () => {
      const { sts } = startSts();
      const { elements } = await call(sts, { method: 'GET', target, headers: {}, body: Buffer.alloc(0) });
      assert.equal(elements.Code, code);
    });
  }

  it('escapes what a caller wrote', async () => {
    const { sts } = startSts();
    const target = `/?Action=${encodeURIComponent('<b>&"\u0007')}`;
    const { body } = await call(sts, { method: 'GET', target, headers: {}, body: Buffer.alloc(0) });
    assert.match(body, /operation &lt;b&gt;&amp;&quot;\ufffd for version/);
  });
});

describe('createSts: AssumeRole', () => {
  it('issues a session of a role that trusts the caller', async () => {
    const { sts, clock, credentials, readerArn } = startSts();
    const called = await call(sts, signedCall(assume(readerArn), { credentials, at: clock.now() }));
    assert.equal(called.status, 200);
    assert.equal(called.elements.Arn, `arn:aws:sts::${account}:assumed-role/reader/kiam-web`);
    assert.match(called.elements.AssumedRoleId ?? '', /^AROA[A-Z2-7]{17}:kiam-web$/);
    assert.match(called.elements.AccessKeyId ?? '', /^ASIA[A-Z2-7]{16}$/);
    assert.match(called.elements.SecretAccessKey ?? '', /^[\w+/]{40}$/);
    assert.equal(called.elements.Expiration, '2026-01-01T01:00:00Z');
    const session = credentialsOf(called);
    const seen = await call(sts, signedCall(identity, { credentials: session, at: clock.now() }));
    assert.equal(seen.elements.Arn, called.elements.Arn);
    assert.equal(seen.elements.UserId, called.elements.AssumedRoleId);
  });

  it('leaves the path of the role out of the session’s ARN, and demands it in the role’s', async () => {
    const arn = `arn:aws:iam::${account}:role/team/data/loader`;
    const { sts, clock, credentials } = startSts([role(arn, trust({ AWS: serverArn }))]);
    const called = await call(sts, signedCall(assume(arn), { credentials, at: clock.now() }));
    assert.equal(called.elements.Arn, `arn:aws:sts::${account}:assumed-role/loader/kiam-web`);
    const bare = assume(`arn:aws:iam::${account}:role/loader`);
    const refused = await call(sts, signedCall(bare, { credentials, at: clock.now() }));
    assert.equal(refused.elements.Code, 'AccessDenied');
  });

  it('keeps to the partition of the role', async () => {
    const cn = 'arn:aws-cn:iam::123456789012:role/podpass-server';
    const { sts, clock } = startSts([role(cn, trust({ Service: 'ec2.amazonaws.com' }))]);
    const credentials = sts.issueFor(cn, { sessionName: 'i-1' });
    const called = await call(sts, signedCall(identity, { credentials, at: clock.now() }));
    assert.equal(called.elements.Arn, 'arn:aws-cn:sts::123456789012:assumed-role/podpass-server/i-1');
  });

  it('says the same of a role that does not exist and of one that does not trust the caller', async () => {
    const closed = `arn:aws:iam::${account}:role/closed`;
    const missing = `arn:aws:iam::${account}:role/missing`;
    const { sts, clock, credentials } = startSts([role(closed, trust({ Service: 'ec2.amazonaws.com' }))]);
    for (const arn of [closed, missing]) {
      const called = await call(sts, signedCall(assume(arn), { credentials, at: clock.now() }));
      assert.equal(called.status, 403);
      assert.equal(called.elements.Code, 'AccessDenied');
      assert.equal(
        called.elements.Message,
        `User: arn:aws:sts::${account}:assumed-role/podpass-server/i-0123456789abcdef0 is not authorized to ` +
          `perform: sts:AssumeRole on resource: ${arn}`,
      );
    }
  });

  it('takes a role that is added while it runs, and drops one that is deleted', async () => {
    const { sts, clock, credentials, readerArn } = startSts();
    const late = role(`arn:aws:iam::${account}:role/late`, trust({ AWS: serverArn }));
    sts.roles.set(late.arn.arn, late);
    sts.roles.delete(readerArn);
    const at = clock.now();
    assert.equal((await call(sts, signedCall(assume(late.arn.arn), { credentials, at }))).status, 200);
    assert.equal((await call(sts, signedCall(assume(readerArn), { credentials, at }))).status, 403);
  });

  const lockedArn = `arn:aws:iam::${account}:role/locked`;
  const locked = role(
    lockedArn,
    trust(
      { AWS: serverArn },
      {
        Condition: {
          StringEquals: { 'sts:ExternalId': 'b7f1', 'aws:PrincipalArn': serverArn },
          StringLike: { 'sts:RoleSessionName': 'kiam-*', 'aws:PrincipalAccount': account },
        },
      },
    ),
  );
  for (const [what, extra, status] of [
    ['the external id agreed upon', { ExternalId: 'b7f1' }, 200],
    ['another external id', { ExternalId: 'b7f2' }, 403],
    ['no external id', {}, 403],
    ['a session name the policy excludes', { ExternalId: 'b7f1', RoleSessionName: 'admin' }, 403],
  ] as const) {
    it(`answers ${status} to ${what}`, async () => {
      const { sts, clock, credentials } = startSts([locked]);
      const request = signedCall(assume(lockedArn, extra), { credentials, at: clock.now() });
      assert.equal((await call(sts, request)).status, status);
    });
  }

  it('wants sts:TagSession for session tags', async () => {
    const arn = `arn:aws:iam::${account}:role/tagged`;
    const { sts, clock, credentials, readerArn } = startSts([
      role(arn, trust({ AWS: serverArn }, { Action: ['sts:AssumeRole', 'sts:TagSession'] })),
    ]);
    const tags = { 'Tags.member.1.Key': 'namespace', 'Tags.member.1.Value': 'default' };
    const at = clock.now();
    assert.equal((await call(sts, signedCall(assume(arn, tags), { credentials, at }))).status, 200);
    const refused = await call(sts, signedCall(assume(readerArn, tags), { credentials, at }));
    assert.equal(refused.status, 403);
    assert.match(refused.elements.Message ?? '', /perform: sts:TagSession on resource/);
  });
});

describe('createSts: permissions of the caller', () => {
  const foreignArn = `arn:aws:iam::${otherAccount}:role/shared`;
  const localArn = `arn:aws:iam::${account}:role/by-account`;
  const foreign = role(foreignArn, trust({ AWS: serverArn }));
  const local = role(localArn, trust({ AWS: `arn:aws:iam::${account}:root` }));
  const cases: readonly (readonly [mayAssume: readonly string[], target: string, status: number])[] = [
    [[], foreignArn, 403],
    [[`arn:aws:iam::${otherAccount}:role/*`], foreignArn, 200],
    [[`arn:aws:iam::${otherAccount}:role/other`], foreignArn, 403],
    [['*'], foreignArn, 200],
    [[], localArn, 403],
    [[localArn], localArn, 200],
  ];
  for (const [mayAssume, target, status] of cases) {
    it(`answers ${status} for ${target} to a caller that may assume ${JSON.stringify(mayAssume)}`, async () => {
      const server = role(serverArn, trust({ Service: 'ec2.amazonaws.com' }), { mayAssume });
      const { sts, clock, credentials } = startSts([server, foreign, local]);
      const request = signedCall(assume(target), { credentials, at: clock.now() });
      assert.equal((await call(sts, request)).status, status);
    });
  }

  it('does not let a permission stand for trust', async () => {
    const closedArn = `arn:aws:iam::${otherAccount}:role/closed`;
    const server = role(serverArn, trust({ Service: 'ec2.amazonaws.com' }), { mayAssume: ['*'] });
    const { sts, clock, credentials } = startSts([server, role(closedArn, trust({ AWS: otherAccount }))]);
    const request = signedCall(assume(closedArn), { credentials, at: clock.now() });
    assert.equal((await call(sts, request)).status, 403);
  });
});

describe('createSts: durations', () => {
  const longArn = `arn:aws:iam::${account}:role/long`;
  const middleArn = `arn:aws:iam::${account}:role/middle`;
  const long = role(longArn, trust({ AWS: [serverArn, middleArn] }), { maxSessionDuration: 43_200 });
  const middle = role(middleArn, trust({ AWS: serverArn }), { maxSessionDuration: 43_200 });

  for (const [seconds, expiration] of [
    ['900', '2026-01-01T00:15:00Z'],
    ['43200', '2026-01-01T12:00:00Z'],
  ] as const) {
    it(`issues a session of ${seconds} s`, async () => {
      const { sts, clock, credentials } = startSts([long]);
      const request = signedCall(assume(longArn, { DurationSeconds: seconds }), {
        credentials,
        at: clock.now(),
      });
      assert.equal((await call(sts, request)).elements.Expiration, expiration);
    });
  }

  it('refuses more than the role’s own limit', async () => {
    const { sts, clock, credentials, readerArn } = startSts();
    const parameters = assume(readerArn, { DurationSeconds: '3601' });
    const called = await call(sts, signedCall(parameters, { credentials, at: clock.now() }));
    assert.equal(called.status, 400);
    assert.equal(called.elements.Code, 'ValidationError');
    assert.equal(
      called.elements.Message,
      'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
    );
  });

  it('limits the second link of a role chain to an hour, and not the first behind an instance', async () => {
    const { sts, clock, credentials } = startSts([long, middle]);
    const at = clock.now();
    const first = await call(
      sts,
      signedCall(assume(middleArn, { DurationSeconds: '43200' }), { credentials, at }),
    );
    assert.equal(first.status, 200);
    const chained = credentialsOf(first);
    const refused = await call(
      sts,
      signedCall(assume(longArn, { DurationSeconds: '3601' }), { credentials: chained, at }),
    );
    assert.equal(refused.status, 400);
    assert.equal(
      refused.elements.Message,
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
    );
    const hour = assume(longArn, { DurationSeconds: '3600' });
    assert.equal((await call(sts, signedCall(hour, { credentials: chained, at }))).status, 200);
    assert.equal((await call(sts, signedCall(assume(longArn), { credentials: chained, at }))).status, 200);
  });
});

describe('createSts: issueFor', () => {
  it('issues six hours to an instance', () => {
    const { clock, credentials } = startSts();
    assert.equal(credentials.expiration - clock.now(), 21_600_000);
    assert.equal(credentials.issuedAt, clock.now());
  });

  it('refuses a role that is not there, and one that no instance may have', () => {
    const { sts, readerArn } = startSts();
    const options = { sessionName: 'i-1' };
    assert.throws(() => sts.issueFor(`${serverArn}-2`, options), {
      code: 'ERR_SANDBOX',
      message: /roles\.yaml/,
    });
    assert.throws(() => sts.issueFor(readerArn, options), {
      code: 'ERR_SANDBOX',
      message: /does not trust ec2\.amazonaws\.com/,
    });
  });
});

describe('createSts: the log of calls', () => {
  it('says who asked for what and what became of it, and holds no secret', async () => {
    const { sts, clock, credentials, readerArn } = startSts();
    const at = clock.now();
    const parameters = assume(readerArn, { ExternalId: 'external-secret' });
    const called = await call(sts, signedCall(parameters, { credentials, at }));
    await call(sts, signedCall(assume(`${readerArn}-2`), { credentials, at }));
    const thief = { ...credentials, secretAccessKey: 'guess' };
    await call(sts, signedCall(identity, { credentials: thief, at }));
    const caller = `arn:aws:sts::${account}:assumed-role/podpass-server/i-0123456789abcdef0`;
    assert.deepEqual(sts.calls, [
      { at, action: 'AssumeRole', caller, roleArn: readerArn, sessionName: 'kiam-web', outcome: 'ok' },
      {
        at,
        action: 'AssumeRole',
        caller,
        roleArn: `${readerArn}-2`,
        sessionName: 'kiam-web',
        outcome: 'AccessDenied',
      },
      { at, action: 'GetCallerIdentity', outcome: 'SignatureDoesNotMatch' },
    ]);
    const text = JSON.stringify(sts.calls);
    for (const secret of [
      'external-secret',
      ...Object.values(credentialsOf(called)),
      credentials.sessionToken,
    ]) {
      assert.ok(!text.includes(secret));
    }
  });
});
