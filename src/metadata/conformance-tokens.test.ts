import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Answer } from '../broker/broker.ts';
import { createTokenSigner } from './session-token.ts';
import { checkShape } from './testing/check-shape.ts';
import { openDoor, requestText, tokenHeader, tokenPath, treePath } from './testing/door.ts';
import { fakeCaller as caller, credentialsAnswer, fakeRole as role } from './testing/fake-broker.ts';

// Rules 1 to 3 of those that AWS SDKs set for a metadata service, as docs/metadata-protocol.md numbers them.

const ttlName = 'X-aws-ec2-metadata-token-ttl-seconds';
const credentialsPath = `${treePath}/reader`;
const loopback = '127.0.0.1';

describe('rule 1: PUT of the token', () => {
  for (const ttl of ['1', '60', '300', '21600']) {
    it(`answers a token and echoes the TTL of ${ttl} s`, async (t) => {
      const door = await openDoor(t);
      door.broker.set(loopback, credentialsAnswer(door.clock));
      const answer = await door.request('PUT', tokenPath, { headers: { [ttlName]: ttl } });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers[ttlName.toLowerCase()], ttl);
      assert.equal(answer.headers['content-type'], 'text/plain; charset=utf-8');
      assert.equal(door.signer.verify(answer.body, caller.uid), 'valid');
      assert.equal(door.signer.expiration(answer.body), door.clock.now() + Number(ttl) * 1_000);
      checkShape(answer);
    });
  }

  for (const ttl of [
    '',
    '0',
    '-1',
    '21601',
    '99999',
    '999999999999',
    '1.5',
    '6e1',
    '0x10',
    ' ',
    '60s',
    '+60',
  ]) {
    it(`answers 400 to a TTL of ${JSON.stringify(ttl)}`, async (t) => {
      const door = await openDoor(t);
      door.broker.set(loopback, credentialsAnswer(door.clock));
      const answer = await door.request('PUT', tokenPath, { headers: { [ttlName]: ttl } });
      assert.equal(answer.status, 400);
      checkShape(answer);
    });
  }

  it('answers 400 without a TTL, and to two of them', async (t) => {
    const door = await openDoor(t);
    door.broker.set(loopback, credentialsAnswer(door.clock));
    assert.equal((await door.request('PUT', tokenPath)).status, 400);
    const twice = { [ttlName]: '60', [ttlName.toLowerCase()]: '60' };
    assert.equal((await door.request('PUT', tokenPath, { headers: twice })).status, 400);
  });

  for (const method of ['GET', 'HEAD', 'POST', 'DELETE']) {
    it(`answers 405 to ${method}, and says what is allowed`, async (t) => {
      const door = await openDoor(t);
      const answer = await door.request(method, tokenPath, { headers: { [ttlName]: '60' } });
      assert.equal(answer.status, 405);
      assert.equal(answer.headers.allow, 'PUT');
    });
  }

  it('gives a token to a pod without a role, and to one that is forbidden its role', async (t) => {
    const door = await openDoor(t);
    const answers: Answer[] = [
      { kind: 'no-role', caller },
      { kind: 'undecided', caller },
      { kind: 'pending', caller, role },
    ];
    for (const answer of answers) {
      door.broker.set(loopback, answer);
      const { status } = await door.request('PUT', tokenPath, { headers: { [ttlName]: '60' } });
      assert.equal(status, 200, answer.kind);
    }
  });

  it('does not mind X-Forwarded-For, which proxies in a cluster add', async (t) => {
    const door = await openDoor(t);
    door.broker.set(loopback, credentialsAnswer(door.clock));
    const headers = { [ttlName]: '60', 'X-Forwarded-For': '10.9.9.9' };
    assert.equal((await door.request('PUT', tokenPath, { headers })).status, 200);
  });

  it('refuses X-Forwarded-For with 403 where that is configured', async (t) => {
    const door = await openDoor(t, { rejectForwarded: true });
    door.broker.set(loopback, credentialsAnswer(door.clock));
    const headers = { [ttlName]: '60', 'x-forwarded-for': '' };
    assert.equal((await door.request('PUT', tokenPath, { headers })).status, 403);
    assert.equal((await door.request('PUT', tokenPath, { headers: { [ttlName]: '60' } })).status, 200);
  });
});

describe('rule 2: the token', () => {
  it('is visible ASCII of at most 256 bytes, without a line feed', async (t) => {
    const door = await openDoor(t);
    door.broker.set(loopback, credentialsAnswer(door.clock));
    const { body } = await door.request('PUT', tokenPath, { headers: { [ttlName]: '21600' } });
    assert.match(body, /^[!-~]{1,256}$/);
  });

  it('is good at every agent that has the key, before and after a restart', async (t) => {
    const before = await openDoor(t);
    const after = await openDoor(t, { imds: 'v2-required' });
    before.broker.set(loopback, credentialsAnswer(before.clock));
    after.broker.set(loopback, credentialsAnswer(after.clock));
    const { body } = await before.request('PUT', tokenPath, { headers: { [ttlName]: '60' } });
    assert.equal((await after.get(credentialsPath, { headers: { [tokenHeader]: body } })).status, 200);
  });
});

describe('rule 3: 401, never 403, for want of a good token', () => {
  const paths = [
    treePath,
    `${treePath}/`,
    credentialsPath,
    `${treePath}/writer`,
    '/latest/meta-data/ami-id',
    `${treePath}-extended/`,
  ];
  for (const path of paths) {
    it(`answers 401 to a GET of ${path} without a token, if one is required`, async (t) => {
      const door = await openDoor(t, { imds: 'v2-required' });
      door.broker.set(loopback, credentialsAnswer(door.clock));
      const answer = await door.get(path);
      assert.equal(answer.status, 401);
      checkShape(answer);
    });
  }

  it('answers 401 without a token even to a pod that is not known, at once', async (t) => {
    const door = await openDoor(t, { imds: 'v2-required' });
    assert.equal((await door.get(credentialsPath)).status, 401);
    assert.equal(door.broker.calls.length, 0);
  });

  for (const imds of ['v2-required', 'v2-preferred'] as const) {
    it(`answers 401 to a bad, an expired and another pod's token under ${imds}`, async (t) => {
      const door = await openDoor(t, { imds });
      door.broker.set(loopback, credentialsAnswer(door.clock));
      const expired = door.signer.sign(caller.uid, 1);
      await door.clock.advance(1_000);
      const foreignKey = createTokenSigner({ keys: [new Uint8Array(32).fill(9)], clock: door.clock });
      const tokens = {
        bad: 'bad',
        empty: '',
        long: 'A'.repeat(4_000),
        expired,
        'of another pod': door.signer.sign('another-uid', 60),
        'of another key': foreignKey.sign(caller.uid, 60),
      };
      for (const [name, token] of Object.entries(tokens)) {
        for (const path of [treePath, credentialsPath, '/latest/meta-data/ami-id', `${treePath}-extended/`]) {
          const answer = await door.get(path, { headers: { [tokenHeader]: token } });
          assert.equal(answer.status, 401, `${name} for ${path}`);
        }
      }
    });

    it(`answers 401 under ${imds} to a pod without a role, to one that is forbidden its role, and while fetching`, async (t) => {
      const door = await openDoor(t, { imds });
      const problem = { code: 'AccessDenied', message: 'no' };
      const answers: Answer[] = [
        { kind: 'no-role', caller },
        { kind: 'refused', caller, role, problem },
        { kind: 'unavailable', caller, role, problem },
        { kind: 'pending', caller, role },
        { kind: 'undecided', caller },
      ];
      for (const answer of answers) {
        door.broker.set(loopback, answer);
        const { status } = await door.get(credentialsPath, { headers: { [tokenHeader]: 'bad' } });
        assert.equal(status, 401, answer.kind);
      }
    });

    it(`takes a good token under ${imds}, in headers of any case`, async (t) => {
      const door = await openDoor(t, { imds });
      door.broker.set(loopback, credentialsAnswer(door.clock));
      const token = door.signer.sign(caller.uid, 60);
      for (const name of [tokenHeader, tokenHeader.toLowerCase(), tokenHeader.toUpperCase()]) {
        assert.equal((await door.get(credentialsPath, { headers: { [name]: token } })).status, 200);
      }
    });
  }

  it('serves without a token where one is only preferred', async (t) => {
    const door = await openDoor(t);
    door.broker.set(loopback, credentialsAnswer(door.clock));
    assert.equal((await door.get(credentialsPath)).status, 200);
  });

  it('checks the token again when it ends, or when the pod changes, on one connection', async (t) => {
    const door = await openDoor(t, { imds: 'v2-required' });
    const client = door.connect();
    const ask = async (token: string) => {
      client.send(requestText('GET', credentialsPath, { [tokenHeader]: token }));
      return (await client.receive()).status;
    };
    door.broker.set(loopback, credentialsAnswer(door.clock));
    const token = door.signer.sign(caller.uid, 60);
    assert.equal(await ask(token), 200);
    assert.equal(await ask(token), 200);
    door.broker.set(loopback, credentialsAnswer(door.clock, { ...caller, uid: 'the-next-pod' }));
    assert.equal(await ask(token), 401);
    door.broker.set(loopback, credentialsAnswer(door.clock));
    assert.equal(await ask(token), 200);
    await door.clock.advance(60_000);
    assert.equal(await ask(token), 401);
    client.close();
  });
});
