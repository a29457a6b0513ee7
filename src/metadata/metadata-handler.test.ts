import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock } from '../base/fake-clock.ts';
import type { Answer, Broker } from '../broker/broker.ts';
import { openDoor, requestText, tokenHeader, tokenPath, treePath } from './testing/door.ts';
import {
  fakeCaller as caller,
  createFakeBroker,
  credentialsAnswer,
  fakeRole as role,
} from './testing/fake-broker.ts';

const credentialsPath = `${treePath}/reader`;
const loopback = '127.0.0.1';
const ttl = { 'X-aws-ec2-metadata-token-ttl-seconds': '60' };
const problem = { code: 'AccessDenied', message: 'no' };

describe('the fence', () => {
  it('answers the pod that owns the address when the answer is written, not the one that was waited for', async (t) => {
    const clock = createFakeClock();
    const fake = createFakeBroker(clock);
    const next = { uid: 'the-next-pod', namespace: 'shop', name: 'web-1' };
    // The address changes hands between the end of the wait and the answer.
    const broker: Broker = {
      ask: fake.ask,
      async askPatiently(address, options) {
        const answer = await fake.askPatiently(address, options);
        fake.set(address, { kind: 'no-role', caller: next });
        return answer;
      },
    };
    const door = await openDoor(t, { broker });
    const answered = door.get(credentialsPath);
    await fake.untilWaiting(1);
    fake.set(loopback, credentialsAnswer(clock));
    const { status, body } = await answered;
    assert.equal(status, 404);
    assert.ok(!body.includes('ASIA'));
  });

  it('ends with a question asked in the same turn as the answer is written', async (t) => {
    const door = await openDoor(t);
    const answered = door.get(credentialsPath);
    await door.broker.untilWaiting(1);
    door.broker.set(loopback, credentialsAnswer(door.clock));
    await answered;
    assert.deepEqual(
      door.broker.calls.map(({ method }) => method),
      ['ask', 'askPatiently', 'ask'],
    );
  });

  it('checks the token against the pod that was found after the wait', async (t) => {
    const door = await openDoor(t);
    const headers = { [tokenHeader]: door.signer.sign('the-pod-before', 60) };
    const answered = door.get(credentialsPath, { headers });
    await door.broker.untilWaiting(1);
    door.broker.set(loopback, credentialsAnswer(door.clock));
    assert.equal((await answered).status, 401);
  });

  it('makes the token for the pod that was found after the wait', async (t) => {
    const door = await openDoor(t);
    const answered = door.request('PUT', tokenPath, { headers: ttl });
    await door.broker.untilWaiting(1);
    door.broker.set(loopback, { kind: 'no-role', caller });
    assert.equal(door.signer.verify((await answered).body, caller.uid), 'valid');
  });
});

describe('waiting', () => {
  const rows: [string, Answer, string, boolean][] = [
    ['an undecided pod for the list', { kind: 'undecided', caller }, treePath, true],
    ['an undecided pod for credentials', { kind: 'undecided', caller }, credentialsPath, true],
    ['pending credentials', { kind: 'pending', caller, role }, credentialsPath, true],
    ['pending credentials of another role', { kind: 'pending', caller, role }, `${treePath}/writer`, false],
    [
      'an ambiguous address',
      { kind: 'ambiguous', address: loopback, claimants: [caller, caller] },
      credentialsPath,
      false,
    ],
    ['a pod without a role', { kind: 'no-role', caller }, credentialsPath, false],
    ['what STS refuses', { kind: 'refused', caller, role, problem }, credentialsPath, false],
    ['STS that is away', { kind: 'unavailable', caller, role, problem }, credentialsPath, false],
  ];
  for (const [name, answer, path, waits] of rows) {
    it(`${waits ? 'waits' : 'does not wait'} for ${name}`, async (t) => {
      const door = await openDoor(t);
      door.broker.set(loopback, answer);
      const answered = door.get(path);
      if (waits) {
        await door.broker.untilWaiting(1);
        await door.clock.advance(800);
      }
      await answered;
      assert.equal(
        door.broker.calls.some(({ method }) => method === 'askPatiently'),
        waits,
      );
    });
  }

  it('asks for the role only, where the list is wanted', async (t) => {
    const door = await openDoor(t);
    for (const [path, wanted] of [
      [treePath, 'role'],
      [credentialsPath, 'credentials'],
    ] as const) {
      const answered = door.get(path);
      await door.broker.untilWaiting(1);
      const { options } = door.broker.calls.at(-1) ?? {};
      assert.equal(options?.for, wanted);
      assert.equal(options?.waitMillis, 800);
      await door.clock.advance(800);
      await answered;
    }
  });

  it('takes as long as it is told to', async (t) => {
    const door = await openDoor(t, { podWaitMillis: 100 });
    const answered = door.get(treePath);
    await door.broker.untilWaiting(1);
    await door.clock.advance(100);
    assert.equal((await answered).status, 503);
  });

  it('ends when the client goes away, and leaves nothing behind', async (t) => {
    const door = await openDoor(t);
    const client = door.connect();
    client.send(requestText('GET', credentialsPath));
    await door.broker.untilWaiting(1);
    client.close();
    await door.broker.untilWaiting(0);
    assert.equal(door.clock.pending, 0);
    assert.deepEqual(door.lines, []);
  });

  it('is for one request of a connection at a time', async (t) => {
    const door = await openDoor(t);
    const client = door.connect();
    client.send(requestText('GET', credentialsPath).repeat(3));
    await door.broker.untilWaiting(1);
    door.broker.set(loopback, credentialsAnswer(door.clock));
    assert.equal((await client.receive()).status, 200);
    const second = await client.receive();
    assert.equal(second.status, 503);
    assert.equal(second.headers.connection, 'close');
    assert.equal(await client.closed, '');
    assert.equal(door.broker.calls.filter(({ method }) => method === 'askPatiently').length, 1);
  });

  it('may come again on the same connection', async (t) => {
    const door = await openDoor(t);
    const client = door.connect();
    for (let i = 0; i < 2; i += 1) {
      client.send(requestText('GET', credentialsPath));
      await door.broker.untilWaiting(1);
      await door.clock.advance(800);
      assert.equal((await client.receive()).status, 503);
    }
    client.close();
  });

  it('does not hold up requests that were pipelined behind answers from memory', async (t) => {
    const door = await openDoor(t);
    door.broker.set(loopback, credentialsAnswer(door.clock));
    const client = door.connect();
    client.send(requestText('GET', credentialsPath).repeat(8));
    for (let i = 0; i < 8; i += 1) assert.equal((await client.receive()).status, 200);
    client.close();
  });
});

describe('a defect', () => {
  const failures: [string, Partial<Broker>][] = [
    [
      'in the answer from memory',
      {
        ask: () => {
          throw new Error('broken');
        },
      },
    ],
    ['in the wait', { askPatiently: () => Promise.reject(new Error('broken')) }],
  ];
  for (const [where, broken] of failures) {
    it(`${where} costs one request, is logged, and tells the client nothing`, async (t) => {
      const fake = createFakeBroker(createFakeClock());
      const door = await openDoor(t, { broker: { ...fake, ...broken } });
      const client = door.connect();
      client.send(requestText('GET', credentialsPath));
      const answer = await client.receive();
      assert.equal(answer.status, 500);
      assert.ok(!answer.body.includes('broken'));
      assert.deepEqual(
        door.lines.filter(({ level }) => level === 'error').map(({ msg, err }) => [msg, err]),
        [['error processing request', 'broken']],
      );
      client.send(requestText('GET', '/ping'));
      assert.equal((await client.receive()).body, 'pong');
      client.close();
    });
  }
});

describe('metrics of the door', () => {
  const rows: [string, Answer, string, string][] = [
    [
      'a pod without a role',
      { kind: 'no-role', caller },
      treePath,
      'kiam_metadata_empty_role_total{handler="roleName"} 1',
    ],
    [
      'an ambiguous address',
      { kind: 'ambiguous', address: loopback, claimants: [] },
      credentialsPath,
      'kiam_metadata_find_role_errors_total{handler="credentials"} 1',
    ],
    [
      'what STS refuses',
      { kind: 'refused', caller, role, problem },
      credentialsPath,
      'kiam_metadata_credential_fetch_errors_total{handler="credentials"} 1',
    ],
  ];
  for (const [name, answer, path, line] of rows) {
    it(`count ${name} where kiam counted it`, async (t) => {
      const door = await openDoor(t);
      door.broker.set(loopback, answer);
      await door.get(path);
      assert.ok((await door.metrics.registry.metrics()).includes(`${line}\n`), line);
    });
  }

  it('count no mishap where credentials were served', async (t) => {
    const door = await openDoor(t);
    door.broker.set(loopback, credentialsAnswer(door.clock));
    await door.get(credentialsPath);
    await door.get(treePath);
    await door.request('PUT', tokenPath, { headers: ttl });
    const text = await door.metrics.registry.metrics();
    assert.doesNotMatch(text, /_errors_total\{|empty_role_total\{/);
    for (const handler of ['credentials', 'roleName', 'token']) {
      assert.ok(text.includes(`kiam_metadata_success_total{handler="${handler}"} 1\n`), handler);
    }
  });

  it('measure how long a request was held', async (t) => {
    const door = await openDoor(t);
    const answered = door.get(treePath);
    await door.broker.untilWaiting(1);
    await door.clock.advance(800);
    await answered;
    const text = await door.metrics.registry.metrics();
    assert.match(text, /handler_latency_seconds_sum\{handler="roleName"\} 0\.8\n/);
  });
});
