import assert from 'node:assert/strict';
import { request } from 'node:http';
import { afterEach, describe, it } from 'node:test';
import { MetadataService } from '@aws-sdk/ec2-metadata-service';
import { createFakeClock } from '../../base/fake-clock.ts';
import { createSeededRandom } from '../../base/random.ts';
import { mintCredentials } from '../sts/mint.ts';
import {
  createEc2Metadata,
  type Ec2MetadataOptions,
  type ListeningEc2Metadata,
} from './create-ec2-metadata.ts';
import { instanceProfileArn, userDataMarker } from './instance.ts';

const roleArn = 'arn:aws:iam::123456789012:role/infra/sandbox-node';
const ttl = 'X-aws-ec2-metadata-token-ttl-seconds';
const tokenHeader = 'X-aws-ec2-metadata-token';

describe('createEc2Metadata', () => {
  let listening: ListeningEc2Metadata | undefined;
  afterEach(() => listening?.close());

  async function start(options: Partial<Ec2MetadataOptions> = {}) {
    const clock = createFakeClock();
    const random = createSeededRandom(1);
    let issued = 0;
    const imds = createEc2Metadata({
      clock,
      random,
      instance: {
        instanceId: 'i-0123456789abcdef0',
        accountId: '123456789012',
        roleArn,
        region: 'eu-west-1',
        localIpv4: '10.0.0.7',
        userData: `#!/bin/sh\n# ${userDataMarker}`,
      },
      issueCredentials: () => {
        issued++;
        return mintCredentials(clock, random, 21_600);
      },
      httpTokens: 'optional',
      ...options,
    });
    listening = await imds.listen('127.0.0.1', 0);
    const { url } = listening;
    const send = async (path: string, init: RequestInit = {}) => {
      const response = await fetch(`${url}${path}`, { redirect: 'manual', ...init });
      return { status: response.status, body: await response.text(), headers: response.headers };
    };
    const token = async (seconds = '60') =>
      (await send('/latest/api/token', { method: 'PUT', headers: { [ttl]: seconds } })).body;
    return { clock, imds, url, send, token, issued: () => issued };
  }

  const leaves: readonly (readonly [path: string, body: string])[] = [
    ['/latest/meta-data/ami-id', 'ami-0abcdef1234567890'],
    ['/latest/meta-data/instance-id', 'i-0123456789abcdef0'],
    ['/latest/meta-data/local-ipv4', '10.0.0.7'],
    ['/latest/meta-data/hostname', 'ip-10-0-0-7.eu-west-1.compute.internal'],
    ['/latest/meta-data/placement/region', 'eu-west-1'],
    ['/latest/meta-data/placement/availability-zone', 'eu-west-1a'],
    ['/latest/meta-data/placement/', 'availability-zone\nregion'],
    ['/latest/meta-data/placement', 'availability-zone\nregion'],
    ['/latest/meta-data/iam/', 'info\nsecurity-credentials/'],
    ['/latest/meta-data/iam/security-credentials/', 'sandbox-node'],
    ['/latest/meta-data/iam/security-credentials', 'sandbox-node'],
    ['/latest/', 'dynamic/\nmeta-data/\nuser-data'],
    ['/', 'latest'],
    ['//latest/meta-data//instance-id', 'i-0123456789abcdef0'],
    ['/latest/meta-data/instance-id?x=1', 'i-0123456789abcdef0'],
  ];
  for (const [path, body] of leaves) {
    it(`answers ${path} without a redirect or a last newline`, async () => {
      const { send } = await start();
      const answer = await send(path);
      assert.equal(answer.status, 200);
      assert.equal(answer.body, body);
      assert.equal(answer.headers.get('content-type'), 'text/plain');
      assert.equal(answer.headers.get('server'), 'EC2ws');
    });
  }

  for (const path of [
    '/latest/meta-data/none',
    '/latest/meta-data/instance-id/more',
    '/latest/meta-data/iam/security-credentials/other-role',
    '/latest/meta-data/iam/security-credentials-extended/',
    '/latest/constructor',
    '/latest/meta-data/__proto__',
    '/1.0/meta-data/',
    '/other',
  ]) {
    it(`answers 404 to ${path}`, async () => {
      const { send } = await start();
      assert.equal((await send(path)).status, 404);
    });
  }

  it('serves the credentials of the role, in the spelling of EC2', async () => {
    const { send } = await start();
    const { body } = await send('/latest/meta-data/iam/security-credentials/sandbox-node');
    const { AccessKeyId, SecretAccessKey, Token, ...rest } = JSON.parse(body);
    assert.match(AccessKeyId, /^ASIA/);
    assert.equal(SecretAccessKey.length, 40);
    assert.equal(Token.length, 240);
    assert.deepEqual(rest, {
      Code: 'Success',
      LastUpdated: '2026-01-01T00:00:00Z',
      Type: 'AWS-HMAC',
      Expiration: '2026-01-01T06:00:00Z',
    });
  });

  it('serves the same credentials for an hour, and then others', async () => {
    const { clock, send, issued } = await start();
    const path = '/latest/meta-data/iam/security-credentials/sandbox-node';
    const first = (await send(path)).body;
    await clock.advance(3_599_999);
    assert.equal((await send(path)).body, first);
    assert.equal(issued(), 1);
    await clock.advance(1);
    assert.notEqual((await send(path)).body, first);
    assert.equal(issued(), 2);
  });

  it('replaces short credentials five minutes before they end', async () => {
    const clock = createFakeClock();
    const random = createSeededRandom(2);
    const issueCredentials = () => mintCredentials(clock, random, 900);
    const { send } = await start({ clock, issueCredentials });
    const path = '/latest/meta-data/iam/security-credentials/sandbox-node';
    const first = (await send(path)).body;
    await clock.advance(599_999);
    assert.equal((await send(path)).body, first);
    await clock.advance(1);
    assert.notEqual((await send(path)).body, first);
  });

  it('answers 500 when there are none to be had', async () => {
    const issueCredentials = () => {
      throw new Error('no such role');
    };
    const { send } = await start({ issueCredentials });
    assert.equal((await send('/latest/meta-data/iam/security-credentials/sandbox-node')).status, 500);
    assert.equal((await send('/latest/meta-data/instance-id')).status, 200);
  });

  it('names the instance profile', async () => {
    const { send } = await start();
    const info = JSON.parse((await send('/latest/meta-data/iam/info')).body);
    assert.equal(info.Code, 'Success');
    assert.equal(info.InstanceProfileArn, 'arn:aws:iam::123456789012:instance-profile/sandbox-node');
    assert.match(info.InstanceProfileId, /^AIPA[A-Z0-9]{17}$/);
  });

  it('describes the instance in its identity document', async () => {
    const { send } = await start();
    const document = JSON.parse((await send('/latest/dynamic/instance-identity/document')).body);
    assert.equal(document.region, 'eu-west-1');
    assert.equal(document.accountId, '123456789012');
    assert.equal(document.instanceId, 'i-0123456789abcdef0');
    assert.equal(document.privateIp, '10.0.0.7');
  });

  it('has user data that can be recognised anywhere', async () => {
    const { send } = await start();
    assert.match((await send('/latest/user-data')).body, new RegExp(userDataMarker));
  });

  for (const [seconds, status] of [
    ['1', 200],
    ['21600', 200],
    ['0', 400],
    ['21601', 400],
    ['-1', 400],
    ['1.5', 400],
    ['abc', 400],
    ['', 400],
    ['999999999999', 400],
  ] as const) {
    it(`answers ${status} to a token for ${JSON.stringify(seconds)} s`, async () => {
      const { send } = await start();
      const answer = await send('/latest/api/token', { method: 'PUT', headers: { [ttl]: seconds } });
      assert.equal(answer.status, status);
      assert.equal(answer.headers.get(ttl), status === 200 ? seconds : null);
      if (status === 200) assert.match(answer.body, /^[\w-]{56}$/);
    });
  }

  it('gives no token without a duration, to a forwarded request, or to another method', async () => {
    const { send } = await start();
    assert.equal((await send('/latest/api/token', { method: 'PUT' })).status, 400);
    const forwarded = { [ttl]: '60', 'X-Forwarded-For': '10.0.0.9' };
    assert.equal((await send('/latest/api/token', { method: 'PUT', headers: forwarded })).status, 403);
    const got = await send('/latest/api/token');
    assert.equal(got.status, 405);
    assert.equal(got.headers.get('allow'), 'OPTIONS, PUT');
    assert.equal((await send('/latest/meta-data/', { method: 'POST', body: 'x' })).status, 405);
  });

  it('wants a token where tokens are required', async () => {
    const { send, token } = await start({ httpTokens: 'required' });
    const path = '/latest/meta-data/instance-id';
    assert.equal((await send(path)).status, 401);
    assert.equal((await send('/latest/meta-data/none')).status, 401);
    assert.equal((await send(path, { headers: { [tokenHeader]: 'guess' } })).status, 401);
    assert.equal((await send(path, { headers: { [tokenHeader]: await token() } })).status, 200);
  });

  it('takes no wrong token even where none is needed', async () => {
    const { send } = await start();
    const path = '/latest/meta-data/instance-id';
    assert.equal((await send(path, { headers: { [tokenHeader]: 'guess' } })).status, 401);
    assert.equal((await send(path)).status, 200);
  });

  it('ends a token when its time is up', async () => {
    const { clock, send, token } = await start({ httpTokens: 'required' });
    const headers = { [tokenHeader]: await token('60') };
    await clock.advance(59_999);
    assert.equal((await send('/latest/meta-data/instance-id', { headers })).status, 200);
    await clock.advance(1);
    assert.equal((await send('/latest/meta-data/instance-id', { headers })).status, 401);
  });

  it('answers HEAD with the length alone', async () => {
    const { send } = await start();
    const { status, body, headers } = await send('/latest/meta-data/local-ipv4', { method: 'HEAD' });
    assert.deepEqual([status, body, headers.get('content-length')], [200, '', '8']);
  });

  it('logs what was asked and what became of it, and keeps no token', async () => {
    const { imds, send, token } = await start({ httpTokens: 'required' });
    const value = await token();
    await send('/latest/user-data?x=1');
    await send('/latest/meta-data/instance-id', { headers: { [tokenHeader]: value } });
    const from = '127.0.0.1';
    assert.deepEqual(imds.requests, [
      { method: 'PUT', path: '/latest/api/token', status: 200, from },
      { method: 'GET', path: '/latest/user-data', status: 401, from },
      { method: 'GET', path: '/latest/meta-data/instance-id', status: 200, from },
    ]);
    assert.ok(!JSON.stringify(imds.requests).includes(value));
  });

  it('serves a caller on any address of the loopback, and logs which', async () => {
    const { imds, url } = await start();
    await new Promise<void>((resolve, reject) => {
      const sent = request(`${url}/latest/meta-data/`, { localAddress: '127.9.8.7' }, (response) => {
        response.resume().once('end', resolve);
      });
      sent.once('error', reject).end();
    });
    assert.equal(imds.requests[0]?.from, '127.9.8.7');
  });

  it('satisfies the metadata client of the AWS SDK', async () => {
    const { imds, url } = await start({ httpTokens: 'required' });
    const client = new MetadataService({ endpoint: url, httpOptions: { timeout: 5_000 } });
    const token = await client.fetchMetadataToken();
    const headers = { [tokenHeader]: token };
    assert.equal(await client.request('/latest/meta-data/placement/region', { headers }), 'eu-west-1');
    assert.equal(imds.requests.at(0)?.method, 'PUT');
  });

  it('says which address is taken', async () => {
    const { url, clock, imds } = await start();
    assert.ok(clock);
    await assert.rejects(imds.listen('127.0.0.1', Number(new URL(url).port)), {
      code: 'ERR_LISTEN',
      message: /for the EC2 stand-in/,
    });
  });
});

describe('instanceProfileArn', () => {
  it('has the name of the role, without its path', () => {
    assert.equal(
      instanceProfileArn('arn:aws-cn:iam::123456789012:role/a/b/node'),
      'arn:aws-cn:iam::123456789012:instance-profile/node',
    );
  });
});
