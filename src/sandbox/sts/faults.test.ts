import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createSeededRandom } from '../../base/random.ts';
import { createFaults } from './faults.ts';
import { account, call, credentialsOf, signedCall, startSts } from './sts.fixture.ts';

const readerArn = `arn:aws:iam::${account}:role/reader`;

describe('createFaults', () => {
  it('has none to begin with', () => {
    const faults = createFaults(createSeededRandom(1));
    assert.deepEqual(faults.draw(readerArn), { delayMillis: 0, ending: undefined, earlyExpiry: undefined });
    assert.deepEqual(faults.active, []);
  });

  it('spends a fault that is limited to some calls', () => {
    const faults = createFaults(createSeededRandom(1));
    faults.add({ kind: 'throttle', times: 2 });
    const struck = Array.from({ length: 3 }, () => faults.draw(readerArn).ending?.kind);
    assert.deepEqual(struck, ['throttle', 'throttle', undefined]);
    assert.deepEqual(faults.active, []);
  });

  it('keeps one without a limit until it is removed', () => {
    const faults = createFaults(createSeededRandom(1));
    const remove = faults.add({ kind: 'refuse' });
    faults.add({ kind: 'latency', millis: 5 });
    for (let i = 0; i < 100; i++) assert.equal(faults.draw(undefined).ending?.kind, 'refuse');
    remove();
    assert.equal(faults.draw(undefined).ending, undefined);
    faults.clear();
    assert.equal(faults.draw(undefined).delayMillis, 0);
  });

  it('strikes only the roles it is for, and spends nothing on others', () => {
    const faults = createFaults(createSeededRandom(1));
    faults.add({ kind: 'reset', role: '*:role/read*', times: 1 });
    assert.equal(faults.draw(`arn:aws:iam::${account}:role/writer`).ending, undefined);
    assert.equal(faults.draw(undefined).ending, undefined);
    assert.equal(faults.draw(readerArn).ending?.kind, 'reset');
    assert.equal(faults.draw(readerArn).ending, undefined);
  });

  it('adds delays up, lets the first ending win, and spends nothing behind it', () => {
    const faults = createFaults(createSeededRandom(1));
    faults.add({ kind: 'latency', millis: 10 });
    faults.add({ kind: 'latency', millis: 20 });
    faults.add({ kind: 'throttle', times: 1 });
    faults.add({ kind: 'reset', times: 1 });
    assert.deepEqual(faults.draw(readerArn), {
      delayMillis: 30,
      ending: { kind: 'throttle', times: 1 },
      earlyExpiry: undefined,
    });
    assert.equal(faults.draw(readerArn).ending?.kind, 'reset');
  });

  it('strikes about the share of calls it is told to', () => {
    const faults = createFaults(createSeededRandom(7));
    faults.add({ kind: 'throttle', rate: 0.25 });
    const struck = Array.from({ length: 4_000 }, () => faults.draw(readerArn)).filter(({ ending }) => ending);
    assert.ok(struck.length > 900 && struck.length < 1_100, `${struck.length} of 4000`);
  });

  it('never strikes at a rate of 0 and always at 1', () => {
    fc.assert(
      fc.property(fc.integer(), fc.constantFrom(0, 1), (seed, rate) => {
        const faults = createFaults(createSeededRandom(seed));
        faults.add({ kind: 'throttle', rate });
        assert.equal(faults.draw(readerArn).ending !== undefined, rate === 1);
      }),
    );
  });

  it('draws a delay between the two that are given', () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(1_000), fc.nat(1_000), (seed, from, more) => {
        const faults = createFaults(createSeededRandom(seed));
        faults.add({ kind: 'latency', millis: [from, from + more] });
        const { delayMillis } = faults.draw(readerArn);
        assert.ok(delayMillis >= from && delayMillis <= from + more);
      }),
    );
  });
});

describe('createSts under faults', () => {
  const assume = { Action: 'AssumeRole', RoleArn: readerArn, RoleSessionName: 'kiam-web' };
  const cases = [
    [{ kind: 'throttle' }, 400, 'Sender', 'Throttling', /^Rate exceeded$/],
    [{ kind: 'refuse' }, 403, 'Sender', 'AccessDenied', /is not authorized to perform: sts:AssumeRole on/],
    [{ kind: 'server-error', status: 500 }, 500, 'Receiver', 'InternalFailure', /unknown error/],
    [{ kind: 'server-error', status: 503 }, 503, 'Receiver', 'ServiceUnavailable', /unavailable/],
  ] as const;
  for (const [fault, status, type, code, message] of cases) {
    it(`answers ${status} ${code} under ${JSON.stringify(fault)}, and then as usual`, async () => {
      const { sts, clock, credentials } = startSts();
      sts.faults.add({ ...fault, times: 1 });
      const request = signedCall(assume, { credentials, at: clock.now() });
      const called = await call(sts, request);
      assert.equal(called.status, status);
      assert.equal(called.elements.Type, type);
      assert.equal(called.elements.Code, code);
      assert.match(called.elements.Message ?? '', message);
      assert.equal((await call(sts, request)).status, 200);
      assert.deepEqual(
        sts.calls.map(({ outcome }) => outcome),
        [code, 'ok'],
      );
    });
  }

  it('asks for the connection to be reset, and logs that', async () => {
    const { sts, clock, credentials } = startSts();
    sts.faults.add({ kind: 'reset' });
    const request = signedCall(assume, { credentials, at: clock.now() });
    assert.deepEqual(await sts.handle(request, new AbortController().signal), { kind: 'reset' });
    assert.equal(sts.calls[0]?.outcome, 'ConnectionReset');
  });

  it('answers only when a delay is over', async () => {
    const { sts, clock, credentials } = startSts();
    sts.faults.add({ kind: 'latency', millis: 2_000 });
    let answered = false;
    const answer = call(sts, signedCall(assume, { credentials, at: clock.now() })).then((called) => {
      answered = true;
      return called;
    });
    await clock.advance(1_999);
    assert.equal(answered, false);
    await clock.advance(1);
    assert.equal((await answer).status, 200);
    assert.equal(clock.pending, 0);
  });

  it('gives a delay up when it is told to', async () => {
    const { sts, clock, credentials } = startSts();
    sts.faults.add({ kind: 'latency', millis: 2_000 });
    const controller = new AbortController();
    const answer = sts.handle(signedCall(assume, { credentials, at: clock.now() }), controller.signal);
    await clock.advance(1_000);
    controller.abort(new Error('closing'));
    await assert.rejects(answer, /closing/);
    assert.equal(clock.pending, 0);
  });

  for (const [announced, expiration] of [
    [true, '2026-01-01T00:00:30Z'],
    [false, '2026-01-01T01:00:00Z'],
  ] as const) {
    it(`ends sessions early, ${announced ? 'as announced' : 'without a word'}`, async () => {
      const { sts, clock, credentials } = startSts();
      sts.faults.add({ kind: 'early-expiry', seconds: 30, announced });
      const called = await call(sts, signedCall(assume, { credentials, at: clock.now() }));
      assert.equal(called.elements.Expiration, expiration);
      const session = credentialsOf(called);
      const whoami = () =>
        call(sts, signedCall({ Action: 'GetCallerIdentity' }, { credentials: session, at: clock.now() }));
      await clock.advance(29_999);
      assert.equal((await whoami()).status, 200);
      await clock.advance(1);
      assert.equal((await whoami()).elements.Code, 'ExpiredToken');
    });
  }
});
