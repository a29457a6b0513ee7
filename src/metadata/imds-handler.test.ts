import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { checkShape } from './testing/check-shape.ts';
import { openDoor, requestText, tokenPath, treePath } from './testing/door.ts';
import { fakeCaller as caller, credentialsAnswer, fakeRole } from './testing/fake-broker.ts';

const credentialsPath = `${treePath}/reader`;
const loopback = '127.0.0.1';

describe('probes', () => {
  it('answers pong to a ping, by any method', async (t) => {
    const door = await openDoor(t);
    for (const method of ['GET', 'POST', 'PUT']) {
      const answer = await door.request(method, '/ping');
      assert.equal(answer.status, 200);
      assert.equal(answer.body, 'pong');
    }
  });

  it('answers 200 to /health while all is well', async (t) => {
    const door = await openDoor(t);
    const answer = await door.get('/health?deep=anything');
    assert.equal(answer.status, 200);
    assert.equal(answer.body, 'ok\n');
  });

  it('answers 503 with the names of failed checks, and tells pods nothing more', async (t) => {
    const door = await openDoor(t, {
      health: () => ({
        ok: false,
        checks: [
          { name: 'server stream', ok: false, message: 'connect ECONNREFUSED 10.3.2.1:443' },
          { name: 'firewall', ok: true, message: 'rule in place on i-0123456789' },
          { name: 'certificates', ok: false, message: 'expired' },
        ],
      }),
    });
    const answer = await door.get('/health');
    assert.equal(answer.status, 503);
    assert.equal(answer.body, 'failed: server stream, certificates\n');
  });

  it('answers /healthz by what a restart would mend, and not by what it would not', async (t) => {
    const away = { name: 'pod watch', ok: false, message: 'has not seen the whole of the cluster yet' };
    let isLive = true;
    const door = await openDoor(t, {
      health: () => ({ ok: false, checks: [away] }),
      liveness: () => ({ ok: isLive, checks: [{ name: 'process', ok: isLive, message: '' }] }),
    });
    assert.equal((await door.get('/healthz')).status, 200);
    isLive = false;
    const answer = await door.get('/healthz');
    assert.equal(answer.status, 503);
    assert.equal(answer.body, 'failed: process\n');
  });
});

describe('who is asking', () => {
  it('is told by the address of the connection', async (t) => {
    const door = await openDoor(t);
    const other = { ...caller, uid: 'another', name: 'web-1' };
    door.broker.set('127.0.0.2', credentialsAnswer(door.clock));
    door.broker.set(
      '127.0.0.3',
      credentialsAnswer(door.clock, other, { name: 'writer', arn: 'arn:aws:iam::1:role/w' }),
    );
    assert.equal((await door.get(treePath, { from: '127.0.0.2' })).body, 'reader');
    assert.equal((await door.get(treePath, { from: '127.0.0.3' })).body, 'writer');
  });

  it('is told by no header', async (t) => {
    const door = await openDoor(t);
    door.broker.set('127.0.0.2', credentialsAnswer(door.clock));
    door.broker.set('127.0.0.3', { kind: 'no-role', caller });
    const headers = {
      'X-Forwarded-For': '127.0.0.2',
      Forwarded: 'for=127.0.0.2',
      'X-Real-IP': '127.0.0.2',
      'True-Client-IP': '127.0.0.2',
    };
    assert.equal((await door.get(`${treePath}?ip=127.0.0.2`, { headers, from: '127.0.0.3' })).status, 404);
  });

  it('is told by the query only in development', async (t) => {
    const door = await openDoor(t, { allowIpQuery: true });
    door.broker.set('10.1.2.3', credentialsAnswer(door.clock));
    door.broker.set(loopback, { kind: 'no-role', caller });
    assert.equal((await door.get(`${treePath}?ip=10.1.2.3`)).body, 'reader');
    assert.equal((await door.get(`http://169.254.169.254${treePath}?ip=10.1.2.3&ip=1.1.1.1`)).body, 'reader');
    assert.equal((await door.get(`${treePath}?ip=`)).status, 404);
    assert.equal((await door.get(`${treePath}?x=1`)).status, 404);
  });
});

describe('bodies', () => {
  it('refuses a body that is announced as too long, and closes', async (t) => {
    const door = await openDoor(t, { limits: { bodyBytes: 10 } });
    door.broker.set(loopback, credentialsAnswer(door.clock));
    const client = door.connect();
    client.send(requestText('PUT', tokenPath, { 'Content-Length': '11' }));
    const answer = await client.receive();
    assert.equal(answer.status, 413);
    assert.equal(answer.headers.connection, 'close');
    await client.closed;
  });

  it('takes one that is just short enough', async (t) => {
    const door = await openDoor(t, { limits: { bodyBytes: 10 } });
    door.broker.set(loopback, credentialsAnswer(door.clock));
    const client = door.connect();
    client.send(
      `${requestText('GET', treePath, { 'Content-Length': '10' })}0123456789${requestText('GET', '/ping')}`,
    );
    assert.equal((await client.receive()).body, 'reader');
    assert.equal((await client.receive()).body, 'pong');
    client.close();
  });

  it('cuts one off that turns out to be too long', async (t) => {
    const door = await openDoor(t, { limits: { bodyBytes: 10 } });
    door.broker.set(loopback, credentialsAnswer(door.clock));
    const client = door.connect();
    client.send(requestText('GET', treePath, { 'Transfer-Encoding': 'chunked' }));
    assert.equal((await client.receive()).status, 200);
    client.send('b\r\n01234567890\r\n');
    assert.equal(await client.closed, '');
  });
});

describe('methods', () => {
  for (const method of ['POST', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'PROPFIND']) {
    it(`answers 405 to ${method}, with what is allowed`, async (t) => {
      const door = await openDoor(t);
      door.broker.set(loopback, credentialsAnswer(door.clock));
      for (const path of [treePath, credentialsPath, '/latest/meta-data/ami-id']) {
        const answer = await door.request(method, path, { headers: { 'Content-Length': '0' } });
        assert.equal(answer.status, 405, path);
        assert.equal(answer.headers.allow, 'GET, HEAD');
      }
    });
  }

  it('answers an offer to upgrade like any other request', async (t) => {
    const door = await openDoor(t);
    door.broker.set(loopback, credentialsAnswer(door.clock));
    const answer = await door.get(treePath, {
      headers: { Connection: 'Upgrade, HTTP2-Settings', Upgrade: 'h2c' },
    });
    assert.equal(answer.body, 'reader');
  });

  it('makes no tunnels', async (t) => {
    const door = await openDoor(t);
    const client = door.connect();
    client.send('CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n');
    assert.doesNotMatch(await client.closed, /HTTP\/1\.1 200/);
  });

  it('answers 400 to OPTIONS *', async (t) => {
    const door = await openDoor(t);
    assert.equal((await door.request('OPTIONS', '*')).status, 400);
  });

  for (const expectation of ['patience', '', '100']) {
    it(`answers 417 to an expectation that it does not know (${JSON.stringify(expectation)}), and closes`, async (t) => {
      const door = await openDoor(t);
      const client = door.connect();
      client.send(requestText('PUT', '/ping', { Expect: expectation, 'Content-Length': '60' }));
      client.send(requestText('GET', credentialsPath));
      const answer = await client.receive();
      assert.equal(answer.status, 417);
      checkShape(answer);
      // What follows may be its body.
      assert.equal(answer.headers.connection, 'close');
      assert.equal(await client.closed, '');
    });
  }
});

describe('headers', () => {
  it('refuses more headers than it reads', async (t) => {
    const door = await openDoor(t, { limits: { headerCount: 10 } });
    const headers = (count: number) =>
      Object.fromEntries(Array.from({ length: count - 1 }, (_, i) => [`X-${i}`, 'v']));
    assert.equal((await door.get('/ping', { headers: headers(10) })).status, 200);
    assert.equal((await door.get('/ping', { headers: headers(11) })).status, 431);
    assert.equal((await door.get('/ping', { headers: headers(200) })).status, 431);
  });

  it('refuses two session tokens', async (t) => {
    const door = await openDoor(t);
    door.broker.set(loopback, credentialsAnswer(door.clock));
    const token = door.signer.sign(caller.uid, 60);
    const headers = { 'X-aws-ec2-metadata-token': token, 'x-aws-ec2-metadata-token': token };
    assert.equal((await door.get(credentialsPath, { headers })).status, 400);
  });
});

describe('the log of the door', () => {
  it('has a line for each request, with the pod where it is known', async (t) => {
    const door = await openDoor(t);
    door.broker.set(loopback, credentialsAnswer(door.clock));
    await door.get(credentialsPath);
    await door.get('/latest/user-data');
    assert.deepEqual(
      door.lines.map(({ level, msg, path, addr, status, 'pod.name': pod }) => [
        level,
        msg,
        path,
        addr,
        status,
        pod,
      ]),
      [
        ['debug', 'processed request', credentialsPath, loopback, 200, 'web-0'],
        ['info', 'processed request', '/latest/user-data', loopback, 404, undefined],
      ],
    );
  });

  it('never holds a secret', async (t) => {
    const door = await openDoor(t);
    const answer = credentialsAnswer(door.clock);
    door.broker.set(loopback, answer);
    const token = door.signer.sign(caller.uid, 60);
    await door.get(credentialsPath, { headers: { 'X-aws-ec2-metadata-token': token } });
    await door.request('PUT', tokenPath, { headers: { 'X-aws-ec2-metadata-token-ttl-seconds': '60' } });
    await door.get(`${credentialsPath}?token=${token}`);
    const text = JSON.stringify(door.lines) + (await door.metrics.registry.metrics());
    assert.equal(door.lines.length, 3);
    assert.ok(answer.kind === 'credentials');
    for (const secret of [token, answer.credentials.secretAccessKey, answer.credentials.sessionToken]) {
      assert.ok(!text.includes(secret));
    }
  });
});

describe('any target at all', () => {
  it('is answered, with a status that is no server error, and nobody gets another’s credentials', async (t) => {
    const door = await openDoor(t);
    door.broker.set('127.0.0.2', credentialsAnswer(door.clock, caller, fakeRole));
    door.broker.set(loopback, { kind: 'no-role', caller: { ...caller, uid: 'another' } });
    const piece = fc.constantFrom(
      'latest',
      'meta-data',
      'iam',
      'security-credentials',
      'reader',
      '..',
      '%2f',
      '%00',
      '',
    );
    const visible = fc.string({ unit: fc.constantFrom(...'abc/%.?&=;@:[]{}|^`~\'"<>') });
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.array(piece).map((all) => all.join('/')),
          visible,
        ),
        async (rest) => {
          const answer = await door.get(`/${rest}`);
          assert.ok([200, 400, 404].includes(answer.status), `${answer.status} for ${rest}`);
          assert.ok(!answer.body.includes('SecretAccessKey'));
        },
      ),
      { numRuns: 300 },
    );
  });
});
