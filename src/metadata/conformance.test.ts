import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Answer } from '../broker/broker.ts';
import { checkShape } from './testing/check-shape.ts';
import { openDoor, requestText, tokenHeader, tokenPath, treePath } from './testing/door.ts';
import {
  fakeCaller as caller,
  credentialsAnswer,
  fakeCredentials,
  fakeRole as role,
} from './testing/fake-broker.ts';

// Rules 4 to 12 of those that AWS SDKs set for a metadata service, as docs/metadata-protocol.md numbers them.

const ttlName = 'X-aws-ec2-metadata-token-ttl-seconds';
const credentialsPath = `${treePath}/reader`;
const loopback = '127.0.0.1';

describe('rule 4: the list', () => {
  const problem = { code: 'Throttling', message: 'slow down' };
  const answers: Answer[] = [
    { kind: 'pending', caller, role },
    { kind: 'unavailable', caller, role, problem },
    { kind: 'refused', caller, role, problem },
  ];
  for (const answer of answers) {
    it(`never waits for STS: ${answer.kind}`, async (t) => {
      const door = await openDoor(t);
      door.broker.set(loopback, answer);
      const { status, body } = await door.get(`${treePath}/`);
      assert.equal(status, 200);
      assert.equal(body, 'reader');
      assert.deepEqual(door.broker.calls, [{ method: 'ask', address: loopback }]);
    });
  }
});

describe('rule 5: with a good token', () => {
  it('answers 404 on the list to a pod without a role, so that SDKs go on to the next provider', async (t) => {
    const door = await openDoor(t, { imds: 'v2-required' });
    door.broker.set(loopback, { kind: 'no-role', caller });
    const headers = { [tokenHeader]: door.signer.sign(caller.uid, 60) };
    for (const path of [treePath, `${treePath}/`, credentialsPath]) {
      const answer = await door.get(path, { headers });
      assert.equal(answer.status, 404);
      assert.notEqual(answer.body, '');
    }
  });

  it("answers 404 to a name that is not the pod's role, whatever became of that", async (t) => {
    const door = await openDoor(t);
    const refusal = { rule: 'missing', annotation: 'iam.amazonaws.com/permitted' } as const;
    const answers: Answer[] = [
      credentialsAnswer(door.clock),
      { kind: 'pending', caller, role },
      { kind: 'forbidden', caller, decision: { kind: 'forbidden', role, refusal, findings: [] } },
    ];
    for (const answer of answers) {
      door.broker.set(loopback, answer);
      assert.equal((await door.get(`${treePath}/writer`)).status, 404, answer.kind);
    }
    assert.equal(door.broker.waiting, 0);
  });

  it('answers 403 with JSON to what policy forbids', async (t) => {
    const door = await openDoor(t);
    const refusal = {
      rule: 'no-match',
      annotation: 'iam.amazonaws.com/permitted',
      expression: 'writer',
    } as const;
    door.broker.set(loopback, {
      kind: 'forbidden',
      caller,
      decision: { kind: 'forbidden', role, refusal, findings: [] },
    });
    for (const path of [treePath, credentialsPath]) {
      const answer = await door.get(path);
      assert.equal(answer.status, 403);
      assert.equal(answer.headers['content-type'], 'application/json');
      const body = JSON.parse(answer.body);
      assert.equal(body.Code, 'RoleForbidden');
      assert.equal(body.message, body.Message);
    }
  });

  it('answers 404, never 403, to metadata that is not there', async (t) => {
    const door = await openDoor(t);
    door.broker.set(loopback, credentialsAnswer(door.clock));
    for (const path of [
      `${treePath}-extended/`,
      '/latest/meta-data/identity-credentials/ec2/info',
      '/latest/user-data',
      '/',
    ]) {
      assert.equal((await door.get(path)).status, 404, path);
    }
  });
});

describe('rule 6: a pod that is not known yet', () => {
  for (const [method, path] of [
    ['GET', treePath],
    ['GET', credentialsPath],
    ['PUT', tokenPath],
  ] as const) {
    it(`holds ${method} ${path} for 800 ms and answers 503 with Retry-After`, async (t) => {
      const door = await openDoor(t);
      const answered = door.request(method, path, { headers: { [ttlName]: '60' } });
      await door.broker.untilWaiting(1);
      assert.equal(door.clock.untilNext, 800);
      await door.clock.advance(800);
      const answer = await answered;
      assert.equal(answer.status, 503);
      assert.equal(answer.headers['retry-after'], '1');
      checkShape(answer);
    });

    it(`answers ${method} ${path} as soon as the pod is known`, async (t) => {
      const door = await openDoor(t);
      const answered = door.request(method, path, { headers: { [ttlName]: '60' } });
      await door.broker.untilWaiting(1);
      await door.clock.advance(500);
      door.broker.set(loopback, credentialsAnswer(door.clock));
      assert.equal((await answered).status, 200);
      assert.equal(door.clock.pending, 0);
    });
  }
});

describe('rule 7: what is served is what the broker says is fresh', () => {
  it('writes new credentials as soon as the broker has them, on a connection that saw the old', async (t) => {
    const door = await openDoor(t);
    const client = door.connect();
    const expirations: string[] = [];
    for (const lifetime of [1_800_000, 3_600_000]) {
      const credentials = { ...fakeCredentials(door.clock), expiration: door.clock.now() + lifetime };
      door.broker.set(loopback, { kind: 'credentials', caller, role, credentials });
      client.send(requestText('GET', credentialsPath));
      expirations.push(JSON.parse((await client.receive()).body).Expiration);
    }
    client.close();
    assert.deepEqual(expirations, ['2026-01-01T00:30:00Z', '2026-01-01T01:00:00Z']);
  });

  it('holds a request while the credentials are fetched', async (t) => {
    const door = await openDoor(t);
    door.broker.set(loopback, { kind: 'pending', caller, role });
    const answered = door.get(credentialsPath);
    await door.broker.untilWaiting(1);
    door.broker.set(loopback, credentialsAnswer(door.clock));
    assert.equal((await answered).status, 200);
  });
});

describe('rule 8: the many ways to write a request', () => {
  const targets = [
    treePath,
    `${treePath}/`,
    `http://169.254.169.254${treePath}/`,
    `http://169.254.169.254:80${treePath}`,
    '/2019-10-01/meta-data/iam/security-credentials/',
    `/${treePath}//`,
  ];
  for (const target of targets) {
    it(`answers the list at ${target}`, async (t) => {
      const door = await openDoor(t);
      door.broker.set(loopback, credentialsAnswer(door.clock));
      const answer = await door.get(target);
      assert.equal(answer.status, 200);
      assert.equal(answer.body, 'reader');
    });
  }

  for (const annotated of ['reader', '/team/reader', 'arn:aws:iam::123456789012:role/team/reader']) {
    it(`answers the credentials of the role that it lists as ${annotated}, with and without slash`, async (t) => {
      const door = await openDoor(t);
      const bound = { name: annotated, arn: 'arn:aws:iam::123456789012:role/team/reader' };
      door.broker.set(loopback, credentialsAnswer(door.clock, caller, bound));
      const { body } = await door.get(`${treePath}/`);
      assert.equal(body, annotated);
      for (const name of [body, `${body}/`, encodeURIComponent(body)]) {
        assert.equal((await door.get(`${treePath}/${name}`)).status, 200, name);
      }
    });
  }

  it('answers HEAD like GET, without the body', async (t) => {
    const door = await openDoor(t);
    door.broker.set(loopback, credentialsAnswer(door.clock));
    const get = await door.get(credentialsPath);
    const client = door.connect();
    client.send(requestText('HEAD', credentialsPath) + requestText('GET', treePath));
    const head = await client.receive({ head: true });
    assert.equal(head.status, 200);
    assert.equal(head.headers['content-length'], get.headers['content-length']);
    // Nothing stands between the header and the next answer.
    assert.equal((await client.receive()).body, 'reader');
    client.close();
  });

  it('answers HTTP/1.0 without Host, and closes', async (t) => {
    const door = await openDoor(t);
    door.broker.set(loopback, credentialsAnswer(door.clock));
    const client = door.connect();
    client.send(`GET ${treePath} HTTP/1.0\r\n\r\n`);
    assert.equal((await client.receive()).body, 'reader');
    assert.equal(await client.closed, '');
  });

  it('keeps an HTTP/1.0 connection if asked to', async (t) => {
    const door = await openDoor(t);
    door.broker.set(loopback, credentialsAnswer(door.clock));
    const client = door.connect();
    for (let i = 0; i < 3; i += 1) {
      client.send(`GET ${treePath} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n`);
      const answer = await client.receive();
      assert.equal(answer.body, 'reader');
      assert.equal(answer.headers.connection, 'keep-alive');
    }
    client.close();
  });

  it('keeps connections alive, and closes them on request', async (t) => {
    const door = await openDoor(t);
    door.broker.set(loopback, credentialsAnswer(door.clock));
    const client = door.connect();
    for (let i = 0; i < 5; i += 1) {
      client.send(requestText('GET', credentialsPath));
      assert.equal((await client.receive()).status, 200);
    }
    client.send(requestText('GET', credentialsPath, { Connection: 'close' }));
    assert.equal((await client.receive()).headers.connection, 'close');
    assert.equal(await client.closed, '');
  });

  it('continues a PUT that expects to be told so', async (t) => {
    const door = await openDoor(t);
    door.broker.set(loopback, credentialsAnswer(door.clock));
    const client = door.connect();
    client.send(
      requestText('PUT', tokenPath, { [ttlName]: '60', Expect: '100-continue', 'Content-Length': '2' }),
    );
    assert.equal((await client.receive()).status, 100);
    client.send('{}');
    assert.equal((await client.receive()).status, 200);
    client.close();
  });

  it('takes a chunked PUT with an empty body, and the next request after it', async (t) => {
    const door = await openDoor(t);
    door.broker.set(loopback, credentialsAnswer(door.clock));
    const client = door.connect();
    client.send(
      `${requestText('PUT', tokenPath, { [ttlName]: '60', 'Transfer-Encoding': 'chunked' })}0\r\n\r\n`,
    );
    assert.equal((await client.receive()).status, 200);
    client.send(requestText('GET', treePath));
    assert.equal((await client.receive()).body, 'reader');
    client.close();
  });

  it('takes a PUT with Content-Length 0 and with a small body', async (t) => {
    const door = await openDoor(t);
    door.broker.set(loopback, credentialsAnswer(door.clock));
    const client = door.connect();
    for (const body of ['', '{"a":1}']) {
      const headers = { [ttlName]: '60', 'Content-Length': String(body.length) };
      client.send(`${requestText('PUT', tokenPath, headers)}${body}`);
      assert.equal((await client.receive()).status, 200);
    }
    client.close();
  });
});

describe('rule 9: no redirect, no compression, always a length', () => {
  it('holds for every kind of answer', async (t) => {
    const door = await openDoor(t);
    const targets = [
      treePath,
      `${treePath}/`,
      credentialsPath,
      `//latest//meta-data/iam/security-credentials`,
      `${treePath}/../security-credentials/reader`,
      `${treePath}/writer`,
      '/latest',
      '/latest/meta-data',
      '/latest/%zz',
      '/ping',
      '/health',
      tokenPath,
      '/',
    ];
    const refusal = { rule: 'missing', annotation: 'a' } as const;
    const answers: Answer[] = [
      credentialsAnswer(door.clock),
      { kind: 'no-role', caller },
      { kind: 'forbidden', caller, decision: { kind: 'forbidden', role, refusal, findings: [] } },
      { kind: 'ambiguous', address: loopback, claimants: [caller, caller] },
    ];
    for (const answer of answers) {
      door.broker.set(loopback, answer);
      for (const target of targets) {
        for (const method of ['GET', 'POST']) {
          checkShape(await door.request(method, target, { headers: { 'Accept-Encoding': 'gzip, br' } }));
        }
      }
    }
  });
});

describe('rule 10: the Host header', () => {
  for (const host of ['attacker.example', '169.254.169.254.attacker.example', '10.0.0.1', '']) {
    it(`turns ${JSON.stringify(host)} away with 400, which no SDK takes for "no IMDSv2 here"`, async (t) => {
      const door = await openDoor(t);
      door.broker.set(loopback, credentialsAnswer(door.clock));
      for (const [method, path] of [
        ['GET', credentialsPath],
        ['PUT', tokenPath],
      ] as const) {
        const answer = await door.request(method, path, { headers: { Host: host, [ttlName]: '60' } });
        assert.equal(answer.status, 400);
        checkShape(answer);
      }
    });
  }

  for (const host of [
    '169.254.169.254',
    '169.254.169.254:80',
    '[fd00:ec2::254]',
    '169.254.170.2',
    'metadata.internal',
  ]) {
    it(`takes ${host}`, async (t) => {
      const door = await openDoor(t, { hostNames: ['metadata.internal'] });
      door.broker.set(loopback, credentialsAnswer(door.clock));
      assert.equal((await door.get(credentialsPath, { headers: { Host: host } })).status, 200);
    });
  }

  it('takes the address that the connection reached', async (t) => {
    const door = await openDoor(t);
    door.broker.set(loopback, credentialsAnswer(door.clock));
    for (const host of [`127.0.0.1:${door.port}`, `localhost:${door.port}`]) {
      assert.equal((await door.get(credentialsPath, { headers: { Host: host } })).status, 200);
    }
  });

  it('looks at each request of a connection', async (t) => {
    const door = await openDoor(t);
    door.broker.set(loopback, credentialsAnswer(door.clock));
    const client = door.connect();
    const statuses: number[] = [];
    for (const host of ['169.254.169.254', 'attacker.example', '169.254.169.254']) {
      client.send(requestText('GET', credentialsPath, { Host: host }));
      statuses.push((await client.receive()).status);
    }
    client.close();
    assert.deepEqual(statuses, [200, 400, 200]);
  });

  it('goes by the target where that is absolute', async (t) => {
    const door = await openDoor(t);
    door.broker.set(loopback, credentialsAnswer(door.clock));
    const evil = await door.get(`http://attacker.example${credentialsPath}`);
    assert.equal(evil.status, 400);
    const good = await door.get(`http://169.254.169.254${credentialsPath}`, { headers: { Host: 'proxy' } });
    assert.equal(good.status, 200);
  });

  it('answers 400 to HTTP/1.1 without Host, and to two of them', async (t) => {
    const door = await openDoor(t);
    for (const hosts of ['', 'Host: 169.254.169.254\r\nHost: 169.254.169.254\r\n']) {
      const client = door.connect();
      client.send(`GET ${treePath} HTTP/1.1\r\n${hosts}\r\n`);
      const answer = await client.receive();
      assert.equal(answer.status, 400);
      checkShape(answer);
      client.close();
    }
  });

  it('does not ask it of probes', async (t) => {
    const door = await openDoor(t);
    for (const path of ['/ping', '/health', '/healthz']) {
      assert.equal((await door.get(path, { headers: { Host: 'node-1.internal:8181' } })).status, 200);
    }
  });
});

describe('rule 11: a thousand requests of one pod at once', () => {
  it('wait together, and are answered together as soon as there are credentials', async (t) => {
    const door = await openDoor(t);
    door.broker.set(loopback, { kind: 'pending', caller, role });
    const count = 1_000;
    const all = Promise.all(Array.from({ length: count }, () => door.get(credentialsPath)));
    await door.broker.untilWaiting(count);
    door.broker.set(loopback, credentialsAnswer(door.clock));
    const answers = await all;
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    assert.equal(new Set(answers.map(({ body }) => body)).size, 1);
    const waits = door.broker.calls.filter(({ method }) => method === 'askPatiently');
    assert.equal(waits.length, count, 'each asks the broker once, which makes one call of them');
  });
});

describe('rule 12: a restart in the middle', () => {
  it('answers 503 until the pods are known, never 404, and then takes the token from before', async (t) => {
    const before = await openDoor(t);
    before.broker.set(loopback, credentialsAnswer(before.clock));
    const { body: token } = await before.request('PUT', tokenPath, { headers: { [ttlName]: '21600' } });
    await before.server.close(0);

    const after = await openDoor(t, { imds: 'v2-required' });
    const headers = { [tokenHeader]: token };
    const paths = [treePath, credentialsPath, '/latest/meta-data/ami-id', `${treePath}-extended/`];
    for (const path of paths) {
      const answered = after.get(path, { headers });
      await after.broker.untilWaiting(1);
      await after.clock.advance(800);
      assert.equal((await answered).status, 503, path);
    }
    after.broker.set(loopback, credentialsAnswer(after.clock));
    assert.equal((await after.get(credentialsPath, { headers })).status, 200);
  });
});
