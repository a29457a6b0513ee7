import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { Client, credentials, Metadata, status } from '@grpc/grpc-js';
import type { PodView } from '../broker/broker.ts';
import { grantedTo, makeView } from '../broker/testing/objects.ts';
import type { SessionState } from '../credentials/session.ts';
import { createHealth } from '../telemetry/health.ts';
import * as kiam from './gen/kiam.ts';
import { until } from './testing/harness.ts';
import { type KiamServer, startKiamServer } from './testing/kiam-harness.ts';
import { type UnaryOutcome, unaryCall } from './unary-call.ts';

const cleanups: (() => unknown)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

async function start(options: Parameters<typeof startKiamServer>[0] = {}) {
  const started = await startKiamServer(options);
  const client = new kiam.KiamServiceClient(`127.0.0.1:${started.port}`, credentials.createInsecure());
  cleanups.push(
    () => started.server.close(),
    () => client.close(),
  );
  const never = new AbortController().signal;
  return {
    ...started,
    client,
    role: (ip: string) => unaryCall<kiam.Role>((done) => client.getPodRole({ ip }, done), never),
    credentials: (ip: string, role: string) =>
      unaryCall<kiam.Credentials>((done) => client.getPodCredentials({ ip, role }, done), never),
    health: () => unaryCall<kiam.HealthStatus>((done) => client.getHealth({}, done), never),
  };
}

function failureOf(outcome: UnaryOutcome<unknown>): [code: string | undefined, text: string] {
  assert.ok(outcome.kind === 'failed', `it was answered: ${JSON.stringify(outcome)}`);
  return [status[outcome.error.code], outcome.error.details];
}

const at = Date.parse('2026-01-01T00:00:00.750Z');
const issued: SessionState = {
  kind: 'issued',
  credentials: {
    accessKeyId: 'ASIAEXAMPLE',
    secretAccessKey: 'the-secret',
    sessionToken: 'the-token',
    issuedAt: at,
    goodUntil: 1_000,
    expiration: at + 3_600_000,
  },
};
const role = { name: 'reader', arn: 'arn:aws:iam::123456789012:role/reader' };
const forbidden: PodView['decision'] = {
  kind: 'forbidden',
  role,
  refusal: { rule: 'missing', annotation: 'iam.amazonaws.com/permitted' },
  findings: [],
};
const invalid: PodView['decision'] = {
  kind: 'invalid',
  annotation: 'iam.amazonaws.com/role',
  problem: 'half a pair: \ud800',
  findings: [],
};
const denied: SessionState = {
  kind: 'refused',
  code: 'AccessDenied',
  message: 'Not authorized to perform sts:AssumeRole',
};
const throttled: SessionState = { kind: 'unavailable', code: 'Throttling', message: 'Rate exceeded' };

describe('GetPodRole', () => {
  const cases: [pod: string, overrides: Partial<PodView>, name: string][] = [
    ['that has credentials', { session: issued }, 'reader'],
    ['whose credentials are being fetched', {}, 'reader'],
    ['that STS refuses', { session: denied }, 'reader'],
    ['that policy forbids, for kiam lists it too', { decision: forbidden }, 'reader'],
    ['without a role, as the empty name', { decision: { kind: 'no-role', findings: [] } }, ''],
    ['annotated with a path', { decision: grantedTo('/team/reader') }, '/team/reader'],
  ];
  for (const [pod, overrides, name] of cases) {
    it(`names the role of a pod ${pod}`, async () => {
      const { table, role: roleOf } = await start();
      table.upsert(makeView({ name: 'web', ...overrides }));
      assert.deepEqual(await roleOf('10.0.0.1'), { kind: 'answered', response: { name } });
    });
  }

  it("says kiam's `pod not found` when nobody has the address by the end of the wait", async () => {
    const { role: roleOf, clock } = await start();
    const call = roleOf('10.0.0.9');
    await until('the server waits', () => clock.pending === 1);
    await clock.advance(4_500);
    assert.deepEqual(failureOf(await call), ['UNKNOWN', 'pod not found']);
  });

  it('answers a pod that turns up while it waits', async () => {
    const { role: roleOf, clock, table } = await start();
    const call = roleOf('10.0.0.1');
    await until('the server waits', () => clock.pending === 1);
    table.upsert(makeView({ name: 'web' }));
    assert.deepEqual(await call, { kind: 'answered', response: { name: 'reader' } });
    assert.equal(clock.pending, 0);
  });

  it('refuses an address that two pods claim, at once', async () => {
    const { role: roleOf, table } = await start();
    table.upsert(makeView({ name: 'web' }));
    table.upsert(makeView({ name: 'db' }));
    assert.deepEqual(failureOf(await roleOf('10.0.0.1')), ['UNKNOWN', 'multiple running pods found']);
  });

  it('names the annotation that cannot be used, whatever is written there', async () => {
    const { role: roleOf, table } = await start();
    table.upsert(makeView({ name: 'web', decision: invalid }));
    const [code, text] = failureOf(await roleOf('10.0.0.1'));
    assert.equal(code, 'UNKNOWN');
    assert.match(text, /^annotation iam\.amazonaws\.com\/role is invalid: half a pair: /);
  });

  it('waits no longer than the caller does', async () => {
    const real = { now: Date.now, monotonic: () => 0, setTimer: () => ({ cancel() {} }) };
    const { client, clock } = await start({ clock: real });
    const call = client.getPodRole(
      { ip: '10.0.0.9' },
      new Metadata(),
      { deadline: Date.now() + 2_000 },
      () => {},
    );
    await until('the server waits', () => clock.pending === 1);
    const wait = clock.untilNext ?? 0;
    assert.ok(wait > 0 && wait < 2_000, `it waits ${wait} ms`);
    call.cancel();
    await until('the server stops', () => clock.pending === 0);
  });
});

describe('GetPodCredentials', () => {
  it('sends credentials as kiam does, dates in UTC', async () => {
    const { table, credentials: credentialsOf } = await start();
    table.upsert(makeView({ name: 'web', session: issued }));
    assert.deepEqual(await credentialsOf('10.0.0.1', 'reader'), {
      kind: 'answered',
      response: {
        code: 'Success',
        type: 'AWS-HMAC',
        accessKeyId: 'ASIAEXAMPLE',
        secretAccessKey: 'the-secret',
        token: 'the-token',
        expiration: '2026-01-01T01:00:00Z',
        lastUpdated: '2026-01-01T00:00:00Z',
      },
    });
  });

  for (const requested of ['reader', '/reader', 'arn:aws:iam::123456789012:role/reader']) {
    it(`takes ${requested} for the role of a pod annotated with reader`, async () => {
      const { table, credentials: credentialsOf } = await start();
      table.upsert(makeView({ name: 'web', session: issued }));
      assert.equal((await credentialsOf('10.0.0.1', requested)).kind, 'answered');
    });
  }

  const refusals: [what: string, overrides: Partial<PodView>, requested: string, text: string][] = [
    ['another role than the pod has', { session: issued }, 'writer', 'forbidden by policy'],
    ['another role before credentials are there', {}, 'writer', 'forbidden by policy'],
    ['another role than one that STS refuses', { session: denied }, 'writer', 'forbidden by policy'],
    ['a role that policy forbids', { decision: forbidden }, 'reader', 'forbidden by policy'],
    ['a pod whose annotation cannot be used', { decision: invalid }, 'reader', 'forbidden by policy'],
    ['no role by name', { session: issued }, '', "role can't be empty"],
    [
      'a pod without a role',
      { decision: { kind: 'no-role', findings: [] } },
      'reader',
      "role can't be empty",
    ],
    [
      'what STS refuses',
      { session: denied },
      'reader',
      'AccessDenied: Not authorized to perform sts:AssumeRole',
    ],
    ['what STS is too busy for', { session: throttled }, 'reader', 'Throttling: Rate exceeded'],
  ];
  for (const [what, overrides, requested, text] of refusals) {
    it(`refuses ${what} at once: ${text}`, async () => {
      const { table, credentials: credentialsOf, clock } = await start();
      table.upsert(makeView({ name: 'web', ...overrides }));
      assert.deepEqual(failureOf(await credentialsOf('10.0.0.1', requested)), ['UNKNOWN', text]);
      assert.equal(clock.pending, 0);
    });
  }

  const waits: [what: string, fill: (server: KiamServer) => void, text: string][] = [
    ["kiam's `no pod found` when nobody has the address", () => {}, 'no pod found'],
    [
      'that credentials are still being fetched',
      ({ table }) => table.upsert(makeView({ name: 'web' })),
      'credentials of role reader are still being fetched',
    ],
    [
      'that what decides is not known yet',
      ({ table }) => table.upsert(makeView({ name: 'web', decision: { kind: 'undecided', findings: [] } })),
      'what decides about pod default/web is not known yet',
    ],
  ];
  for (const [what, fill, text] of waits) {
    it(`says after a wait of 4.5 s, for agents allow 5, ${what}`, async () => {
      const server = await start();
      fill(server);
      const call = server.credentials('10.0.0.1', 'reader');
      await until('the server waits', () => server.clock.pending === 1);
      assert.equal(server.clock.untilNext, 4_500);
      await server.clock.advance(4_500);
      assert.deepEqual(failureOf(await call), ['UNKNOWN', text]);
    });
  }

  it('waits for credentials and sends them when they are there', async () => {
    const { table, credentials: credentialsOf, clock } = await start();
    table.upsert(makeView({ name: 'web' }));
    const call = credentialsOf('10.0.0.1', 'reader');
    await until('the server waits', () => clock.pending === 1);
    table.upsert(makeView({ name: 'web', session: issued }));
    assert.equal((await call).kind, 'answered');
  });

  it('sends what newer credentials are, not what were sent before', async () => {
    const { table, credentials: credentialsOf } = await start();
    table.upsert(makeView({ name: 'web', session: issued }));
    await credentialsOf('10.0.0.1', 'reader');
    const newer = { ...issued, credentials: { ...issued.credentials, accessKeyId: 'ASIANEWER' } };
    table.upsert(makeView({ name: 'web', session: newer }));
    const sent = await credentialsOf('10.0.0.1', 'reader');
    assert.ok(sent.kind === 'answered' && sent.response.accessKeyId === 'ASIANEWER');
  });

  it('stops waiting when the caller goes away', async () => {
    const { client, clock } = await start();
    const call = client.getPodCredentials({ ip: '10.0.0.9', role: 'reader' }, () => {});
    await until('the server waits', () => clock.pending === 1);
    call.cancel();
    await until('the server stops', () => clock.pending === 0);
  });
});

describe('GetHealth', () => {
  it("says `ok`, kiam's word", async () => {
    const { health } = await start();
    assert.deepEqual(await health(), { kind: 'answered', response: { message: 'ok' } });
  });

  it('says what is wrong with the process', async () => {
    const checks = createHealth();
    checks.add('live', 'event loop', () => ({ ok: false, message: 'stalled for 9 s' }));
    checks.add('live', 'memory', () => ({ ok: true, message: 'fine' }));
    const { health } = await start({ health: () => checks.report('live') });
    assert.deepEqual(failureOf(await health()), ['UNKNOWN', 'event loop: stalled for 9 s']);
  });
});

describe("kiam's protocol, byte by byte", () => {
  /** Calls with bytes and gets bytes, as a client in another language would. */
  async function raw(path: string, request: Buffer): Promise<Buffer> {
    const { table, port } = await start();
    table.upsert(makeView({ name: 'web', session: issued }));
    const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
    cleanups.push(() => client.close());
    return new Promise((resolve, reject) => {
      const same = (bytes: Buffer) => bytes;
      client.makeUnaryRequest(path, same, same, request, (error, bytes) =>
        error ? reject(error) : resolve(bytes ?? Buffer.alloc(0)),
      );
    });
  }

  const field = (number: number, text: string) =>
    Buffer.concat([Buffer.from([(number << 3) | 2, text.length]), Buffer.from(text)]);

  it('has the role in field 1', async () => {
    const bytes = await raw('/kiam.KiamService/GetPodRole', field(1, '10.0.0.1'));
    assert.deepEqual(bytes, field(1, 'reader'));
  });

  it('has the credentials in fields 1 to 7', async () => {
    const bytes = await raw(
      '/kiam.KiamService/GetPodCredentials',
      Buffer.concat([field(1, '10.0.0.1'), field(2, 'reader')]),
    );
    const texts = ['Success', 'AWS-HMAC', 'ASIAEXAMPLE', 'the-secret', 'the-token'];
    const dates = ['2026-01-01T01:00:00Z', '2026-01-01T00:00:00Z'];
    assert.deepEqual(bytes, Buffer.concat([...texts, ...dates].map((text, i) => field(i + 1, text))));
  });

  it('passes over fields that it does not know', async () => {
    const request = Buffer.concat([field(9, 'from the future'), field(1, '10.0.0.1')]);
    assert.deepEqual(await raw('/kiam.KiamService/GetPodRole', request), field(1, 'reader'));
  });

  it('has the health in field 1', async () => {
    assert.deepEqual(await raw('/kiam.KiamService/GetHealth', Buffer.alloc(0)), field(1, 'ok'));
  });
});
