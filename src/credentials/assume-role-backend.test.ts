import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { createFakeClock } from '../base/fake-clock.ts';
import { type AssumeRoleBackendOptions, createAssumeRoleBackend } from './assume-role-backend.ts';
import type { SessionIdentity } from './session.ts';
import { type LoopbackAnswer, type LoopbackRequest, startLoopbackHttp } from './testing/loopback-http.ts';

const namespace = 'https://sts.amazonaws.com/doc/2011-06-15/';
const requestId = '11111111-2222-3333-4444-555555555555';
const identity: SessionIdentity = {
  roleArn: 'arn:aws:iam::123456789012:role/team/reader',
  sessionName: 'kiam-kiam',
};
const ownKeys = { accessKeyId: 'AKIAOWN', secretAccessKey: 'own-secret' };
const never = new AbortController().signal;

function issued(accessKeyId: string): LoopbackAnswer {
  return {
    status: 200,
    body: `<AssumeRoleResponse xmlns="${namespace}"><AssumeRoleResult><Credentials>
      <AccessKeyId>${accessKeyId}</AccessKeyId><SecretAccessKey>s+/</SecretAccessKey><SessionToken>t==</SessionToken>
      <Expiration>2026-01-01T01:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
  };
}

function failed(status: number, code: string, message: string): LoopbackAnswer {
  return {
    status,
    body: `<ErrorResponse xmlns="${namespace}"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>${requestId}</RequestId></ErrorResponse>`,
  };
}

function callerAnswer(arn: string): LoopbackAnswer {
  return {
    status: 200,
    body: `<GetCallerIdentityResponse xmlns="${namespace}"><GetCallerIdentityResult><Arn>${arn}</Arn><UserId>U</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`,
  };
}

/** A back-end before a scripted STS, always with an endpoint and credentials: the SDK's defaults are never tried. */
async function start(
  answer: (request: LoopbackRequest) => LoopbackAnswer,
  options: Partial<AssumeRoleBackendOptions> = {},
) {
  const server = await startLoopbackHttp(answer);
  const clock = createFakeClock();
  const backend = createAssumeRoleBackend({
    clock,
    sessionSeconds: 3_600,
    region: 'eu-west-1',
    endpoint: server.url,
    credentials: ownKeys,
    ...options,
  });
  return {
    server,
    clock,
    backend,
    async [Symbol.asyncDispose]() {
      backend.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

describe('assumeRole', () => {
  it('gives what STS issued, with the time by our clock', async () => {
    await using sts = await start(() => issued('AKIA1'));
    assert.deepEqual(await sts.backend.assumeRole(identity, never), {
      kind: 'issued',
      credentials: {
        accessKeyId: 'AKIA1',
        secretAccessKey: 's+/',
        sessionToken: 't==',
        expiration: Date.parse('2026-01-01T01:00:00Z'),
        issuedAt: sts.clock.now(),
        goodUntil: sts.clock.monotonic() + 3_600_000,
      },
    });
  });

  it('counts on no more than it asked for, though by our clock there is more', async () => {
    await using sts = await start(() => issued('AKIA1'));
    sts.clock.step(-7_200_000);
    const outcome = await sts.backend.assumeRole(identity, never);
    assert.ok(outcome.kind === 'issued');
    assert.equal(outcome.credentials.expiration - outcome.credentials.issuedAt, 3 * 3_600_000);
    assert.equal(outcome.credentials.goodUntil, sts.clock.monotonic() + 3_600_000);
  });

  it('counts the time of the call against the credentials', async () => {
    const clock = createFakeClock();
    clock.step(-3_600_000);
    const calledAt = clock.monotonic();
    const slow = () => {
      void clock.advance(3_000);
      return issued('AKIA1');
    };
    await using sts = await start(slow, { clock });
    const outcome = await sts.backend.assumeRole(identity, never);
    assert.ok(outcome.kind === 'issued');
    assert.equal(clock.monotonic(), calledAt + 3_000);
    assert.equal(outcome.credentials.goodUntil, calledAt + 3_600_000);
  });

  it('asks for the role, session name and duration, and for an external id only where there is one', async () => {
    await using sts = await start(() => issued('AKIA1'), { version: '1.2.3' });
    await sts.backend.assumeRole(identity, never);
    await sts.backend.assumeRole({ ...identity, externalId: 'partner/1' }, never);
    const [plain, external] = sts.server.requests;
    assert.deepEqual(Object.fromEntries(plain?.form ?? []), {
      Action: 'AssumeRole',
      Version: '2011-06-15',
      RoleArn: identity.roleArn,
      RoleSessionName: 'kiam-kiam',
      DurationSeconds: '3600',
    });
    assert.equal(external?.form.get('ExternalId'), 'partner/1');
    assert.match(
      plain?.headers.authorization ?? '',
      /Credential=AKIAOWN\/\d{8}\/eu-west-1\/sts\/aws4_request/,
    );
    assert.match(plain?.headers['user-agent'] ?? '', /podpass\/1\.2\.3/);
  });

  it('signs for us-east-1 where no region is given', async () => {
    const server = await startLoopbackHttp(() => issued('AKIA1'));
    await using _ = server;
    const backend = createAssumeRoleBackend({
      clock: createFakeClock(),
      sessionSeconds: 900,
      endpoint: server.url,
      credentials: ownKeys,
    });
    assert.equal((await backend.assumeRole(identity, never)).kind, 'issued');
    backend.close();
    assert.match(server.requests[0]?.headers.authorization ?? '', /\/us-east-1\/sts\//);
  });

  it('uses one connection for calls that follow each other, and no more than it may', async () => {
    await using sts = await start(() => issued('AKIA1'), { maxSockets: 3 });
    for (let call = 0; call < 5; call += 1) await sts.backend.assumeRole(identity, never);
    assert.equal(sts.server.connections, 1);
    await Promise.all(Array.from({ length: 20 }, () => sts.backend.assumeRole(identity, never)));
    assert.equal(sts.server.connections, 3);
  });

  const answers: [number, string, string][] = [
    [403, 'AccessDenied', 'refused'],
    [400, 'ValidationError', 'refused'],
    [400, 'MalformedPolicyDocument', 'refused'],
    [400, 'PackedPolicyTooLarge', 'refused'],
    [403, 'RegionDisabledException', 'refused'],
    [400, 'Throttling', 'throttled'],
    [400, 'ExpiredTokenException', 'unavailable'],
    [403, 'ExpiredToken', 'unavailable'],
    [403, 'InvalidClientTokenId', 'unavailable'],
    [403, 'SignatureDoesNotMatch', 'unavailable'],
    [400, 'IDPCommunicationError', 'unavailable'],
    [500, 'InternalFailure', 'unavailable'],
    [503, 'ServiceUnavailable', 'unavailable'],
  ];
  for (const [status, code, kind] of answers) {
    it(`takes HTTP ${status} ${code} for ${kind}, and does not repeat the call`, async () => {
      await using sts = await start(() => failed(status, code, 'words of STS'));
      const outcome = await sts.backend.assumeRole(identity, never);
      assert.ok(outcome.kind !== 'issued');
      assert.equal(outcome.kind, kind);
      // Two of them are modelled, and the SDK gives those the name of its class.
      assert.match(outcome.code, new RegExp(`^${code}(Exception)?$`));
      assert.match(outcome.message, /^words of STS/);
      assert.ok(!outcome.message.includes(requestId));
      assert.equal(sts.server.requests.length, 1);
    });
  }

  /** Would be a gigabyte, were it taken at its word. */
  const bomb = `<!DOCTYPE a [<!ENTITY l0 "lol">${Array.from({ length: 9 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`).join('')}]><a>&l9;</a>`;
  const notSts: [string, LoopbackAnswer, string][] = [
    ['a page', { status: 403, body: '<html><body>proxy</body></html>' }, 'UnknownAnswer'],
    ['text', { status: 403, body: 'no' }, 'UnknownAnswer'],
    ['nothing', { status: 503, body: '' }, 'UnknownAnswer'],
    ['half a document', { status: 200, body: '<AssumeRoleResponse><Assume' }, 'UnknownAnswer'],
    ['an empty success', { status: 200, body: '' }, 'MalformedAnswer'],
    ['a success without credentials', { status: 200, body: '<AssumeRoleResponse/>' }, 'MalformedAnswer'],
    ['a reset', 'reset', 'NetworkError'],
    ['noise', { status: 200, body: '\u0000\u0001\uffff<<&&;;' }, 'UnknownAnswer'],
    ['entities within entities', { status: 200, body: bomb }, 'MalformedAnswer'],
    ['elements without end', { status: 200, body: '<a>'.repeat(20_000) }, 'UnknownAnswer'],
    ['a success of a megabyte', { status: 200, body: ' '.repeat(1_000_000) }, 'UnknownAnswer'],
    ['a refusal of a megabyte', { status: 403, body: 'x'.repeat(1_000_000) }, 'UnknownAnswer'],
  ];
  for (const [what, answer, code] of notSts) {
    it(`takes ${what} instead of an answer for unavailable`, async () => {
      await using sts = await start(() => answer);
      const outcome = await sts.backend.assumeRole(identity, never);
      assert.deepEqual([outcome.kind, outcome.kind !== 'issued' && outcome.code], ['unavailable', code]);
    });
  }

  it('gives an answer up that never ends, long before its time is over', async () => {
    let sent = 0;
    const server = createServer((incoming, response) => {
      incoming.resume();
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536))) sent += 65_536;
      };
      response.on('drain', more);
      more();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await using sts = await start(() => 'hang', { endpoint: `http://127.0.0.1:${port}` });
    const outcome = await sts.backend.assumeRole(identity, never);
    assert.equal(outcome.kind, 'unavailable');
    server.closeAllConnections();
    server.close();
    // What the kernel holds between the two of us, and no more.
    assert.ok(sent < 32_000_000, String(sent));
  });

  it('takes a refused connection for unavailable', async () => {
    const server = await startLoopbackHttp(() => 'hang');
    await server[Symbol.asyncDispose]();
    await using sts = await start(() => 'hang', { endpoint: server.url });
    const outcome = await sts.backend.assumeRole(identity, never);
    assert.ok(outcome.kind === 'unavailable');
    assert.equal(outcome.code, 'NetworkError');
    assert.match(outcome.message, /^cannot reach STS: connect ECONNREFUSED 127\.0\.0\.1:\d+$/);
  });

  it('gives up after its bound, by the clock it was given', async () => {
    await using sts = await start(() => 'hang', { requestTimeoutMillis: 60_000 });
    const calling = sts.backend.assumeRole(identity, never);
    await sts.server.arrived;
    await sts.clock.advance(60_000);
    assert.deepEqual(await calling, {
      kind: 'unavailable',
      code: 'RequestTimeout',
      message: 'STS did not answer within 1m.',
    });
    assert.equal(sts.clock.pending, 0);
  });

  it('rejects with the reason of its signal when that aborts', async () => {
    await using sts = await start(() => 'hang');
    const controller = new AbortController();
    const calling = sts.backend.assumeRole(identity, controller.signal);
    await sts.server.arrived;
    const reason = new Error('shutting down');
    controller.abort(reason);
    await assert.rejects(calling, (thrown) => thrown === reason);
  });

  it('never shows an external id, though STS quotes what it finds malformed', async () => {
    const externalId = 'not allowed!';
    const quoted = `1 validation error detected: Value '${externalId}' at 'externalId' failed to satisfy constraint`;
    await using sts = await start(() => failed(400, 'ValidationError', quoted));
    const outcome = await sts.backend.assumeRole({ ...identity, externalId }, never);
    assert.ok(outcome.kind === 'refused');
    assert.match(outcome.message, /Value '\[external id\]' at 'externalId'/);
    assert.ok(!JSON.stringify(outcome).includes(externalId));
  });

  it('has no secret of ours in what it says', async () => {
    for (const answer of [failed(403, 'AccessDenied', 'no'), 'reset', { status: 200, body: '{' }] as const) {
      await using sts = await start(() => answer);
      assert.ok(!JSON.stringify(await sts.backend.assumeRole(identity, never)).includes('own-secret'));
    }
  });
});

describe('podpass’s own credentials', () => {
  it('that cannot be had make STS unavailable, with what to do', async () => {
    await using sts = await start(() => issued('AKIA1'), {
      credentials: async () => {
        throw Object.assign(new Error('Could not load credentials from any providers'), {
          name: 'CredentialsProviderError',
        });
      },
    });
    const outcome = await sts.backend.assumeRole(identity, never);
    assert.ok(outcome.kind === 'unavailable');
    assert.equal(outcome.code, 'NoBaseCredentials');
    assert.match(outcome.message, /Could not load credentials from any providers.*instance role/);
    assert.equal(sts.server.requests.length, 0);
  });

  it('are asked for again after they could not be had', async () => {
    let asked = 0;
    await using sts = await start(() => issued('AKIA1'), {
      credentials: async () => {
        asked += 1;
        if (asked === 1) throw new Error('not yet');
        return ownKeys;
      },
    });
    assert.equal((await sts.backend.assumeRole(identity, never)).kind, 'unavailable');
    assert.equal((await sts.backend.assumeRole(identity, never)).kind, 'issued');
  });
});

describe('a role of podpass’s own (--assume-role-arn)', () => {
  const assumeRoleArn = 'arn:aws:iam::123456789012:role/podpass';
  const isOwn = ({ form }: LoopbackRequest) => form.get('RoleArn') === assumeRoleArn;

  it('is assumed once, under a name of its own, and signs all that follows', async () => {
    const expiration = new Date(Date.now() + 3_600_000).toISOString();
    await using sts = await start(
      (request) =>
        isOwn(request)
          ? {
              status: 200,
              body: `<AssumeRoleResponse xmlns="${namespace}"><AssumeRoleResult><Credentials><AccessKeyId>AKIAROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>role-token</SessionToken><Expiration>${expiration}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
            }
          : issued('AKIA1'),
      { assumeRoleArn },
    );
    for (let call = 0; call < 3; call += 1) {
      assert.equal((await sts.backend.assumeRole(identity, never)).kind, 'issued');
    }
    const [own, ...others] = sts.server.requests;
    assert.equal(own && isOwn(own), true);
    assert.equal(own?.form.get('RoleSessionName'), 'podpass-server');
    assert.match(own?.headers.authorization ?? '', /Credential=AKIAOWN\//);
    assert.equal(others.length, 3);
    for (const request of others) {
      assert.match(request.headers.authorization ?? '', /Credential=AKIAROLE\//);
      assert.equal(request.headers['x-amz-security-token'], 'role-token');
    }
  });

  it('that may not be assumed is our problem, not the pod’s: unavailable, never refused', async () => {
    await using sts = await start(
      (request) => (isOwn(request) ? failed(403, 'AccessDenied', 'not you') : issued('AKIA1')),
      { assumeRoleArn },
    );
    assert.deepEqual(await sts.backend.assumeRole(identity, never), {
      kind: 'unavailable',
      code: 'NoBaseCredentials',
      message: `podpass cannot assume its own role ${assumeRoleArn}: not you`,
    });
  });

  it('caps sessions at an hour without asking who we are', async () => {
    await using sts = await start(() => failed(403, 'AccessDenied', 'x'), {
      assumeRoleArn,
      sessionSeconds: 43_200,
    });
    await sts.backend.assumeRole(identity, never);
    assert.ok(sts.server.requests.every(({ form }) => form.get('Action') === 'AssumeRole'));
  });
});

describe('sessions longer than an hour', () => {
  const isCaller = ({ form }: LoopbackRequest) => form.get('Action') === 'GetCallerIdentity';
  const cases: [string, LoopbackAnswer, string][] = [
    ['a role', callerAnswer('arn:aws:sts::123456789012:assumed-role/node/i-0abc'), '3600'],
    ['a user', callerAnswer('arn:aws:iam::123456789012:user/podpass'), '43200'],
    ['nobody knows', failed(403, 'AccessDenied', 'VPC endpoint policy'), '3600'],
  ];
  for (const [who, answer, seconds] of cases) {
    it(`are asked for ${seconds} s where the caller is ${who}`, async () => {
      await using sts = await start((request) => (isCaller(request) ? answer : issued('AKIA1')), {
        sessionSeconds: 43_200,
      });
      for (let call = 0; call < 3; call += 1) {
        assert.equal((await sts.backend.assumeRole(identity, never)).kind, 'issued');
      }
      assert.equal(sts.server.requests.filter(isCaller).length, 1);
      for (const { form } of sts.server.requests.filter((request) => !isCaller(request))) {
        assert.equal(form.get('DurationSeconds'), seconds);
      }
    });
  }

  it('come when it can be known later that we are a user', async () => {
    let known = false;
    await using sts = await start(
      (request) => {
        if (!isCaller(request)) return issued('AKIA1');
        return known
          ? callerAnswer('arn:aws:iam::123456789012:user/podpass')
          : failed(503, 'ServiceUnavailable', 'x');
      },
      { sessionSeconds: 7_200 },
    );
    await sts.backend.assumeRole(identity, never);
    known = true;
    await sts.backend.assumeRole(identity, never);
    await sts.clock.advance(60_000);
    await sts.backend.assumeRole(identity, never);
    const seconds = sts.server.requests
      .filter((request) => !isCaller(request))
      .map(({ form }) => form.get('DurationSeconds'));
    assert.deepEqual(seconds, ['3600', '3600', '7200']);
  });
});

describe('describeCaller', () => {
  it('tells account, partition and whether it is a role', async () => {
    const arn = 'arn:aws:sts::123456789012:assumed-role/node/i-0abc';
    await using sts = await start(() => callerAnswer(arn));
    assert.deepEqual(await sts.backend.describeCaller(never), {
      kind: 'known',
      caller: { account: '123456789012', arn, partition: 'aws', chained: true },
    });
  });

  it('tells why it cannot be told', async () => {
    await using denied = await start(() =>
      failed(403, 'InvalidClientTokenId', 'The security token is invalid'),
    );
    const outcome = await denied.backend.describeCaller(never);
    assert.deepEqual(
      [outcome.kind, outcome.kind !== 'known' && outcome.code],
      ['unavailable', 'InvalidClientTokenId'],
    );
    await using odd = await start(() => callerAnswer('nonsense'));
    assert.equal((await odd.backend.describeCaller(never)).kind, 'unavailable');
  });

  it('gives up after its bound', async () => {
    await using sts = await start(() => 'hang', { requestTimeoutMillis: 60_000 });
    const asking = sts.backend.describeCaller(never);
    await sts.server.arrived;
    await sts.clock.advance(60_000);
    const outcome = await asking;
    assert.equal(outcome.kind !== 'known' && outcome.code, 'RequestTimeout');
  });
});

describe('close', () => {
  it('may come before the first call, and twice', () => {
    const backend = createAssumeRoleBackend({
      clock: createFakeClock(),
      sessionSeconds: 900,
      endpoint: 'http://127.0.0.1:1',
    });
    backend.close();
    backend.close();
  });
});
