import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '../base/clock.ts';
import { PodpassError } from '../base/errors.ts';
import { createFakeClock } from '../base/fake-clock.ts';
import { createEc2Metadata } from './ec2-metadata.ts';
import { type LoopbackAnswer, type LoopbackRequest, startLoopbackHttp } from './testing/loopback-http.ts';

const never = new AbortController().signal;
const isMetadataError = (thrown: unknown) =>
  thrown instanceof PodpassError && thrown.code === 'ERR_METADATA_SERVICE';

/** A metadata service that speaks IMDSv2 only. */
function imds(documents: Record<string, string>): (request: LoopbackRequest) => LoopbackAnswer {
  return ({ method, path, headers }) => {
    if (path === '/latest/api/token') {
      return method === 'PUT' ? { status: 200, body: 'the-token' } : { status: 405, body: '' };
    }
    if (headers['x-aws-ec2-metadata-token'] !== 'the-token') return { status: 401, body: '' };
    const body = documents[path];
    return body === undefined ? { status: 404, body: 'not found' } : { status: 200, body };
  };
}

async function start(answer: (request: LoopbackRequest) => LoopbackAnswer, timeoutMillis = 5_000) {
  const server = await startLoopbackHttp(answer);
  return {
    server,
    metadata: createEc2Metadata({ clock: systemClock, endpoint: server.url, timeoutMillis }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

describe('createEc2Metadata', () => {
  it('reads with a session token, at the path as it is', async () => {
    await using ec2 = await start(imds({ '/latest/meta-data/placement/region': 'eu-west-1\n' }));
    assert.equal(await ec2.metadata.read('placement/region', never), 'eu-west-1');
    assert.deepEqual(
      ec2.server.requests.map(({ method, path }) => `${method} ${path}`),
      ['PUT /latest/api/token', 'GET /latest/meta-data/placement/region'],
    );
  });

  it('asks again after a fault', async () => {
    let faults = 1;
    const well = imds({ '/latest/meta-data/placement/region': 'eu-west-1' });
    await using ec2 = await start((request) => {
      if (request.method === 'GET' && faults-- > 0) return { status: 500, body: '' };
      return well(request);
    });
    assert.equal(await ec2.metadata.read('placement/region', never), 'eu-west-1');
  });

  it('does not ask again for what is not there', async () => {
    await using ec2 = await start(imds({}));
    await assert.rejects(ec2.metadata.read('iam/info', never), isMetadataError);
    assert.equal(ec2.server.requests.filter(({ method }) => method === 'GET').length, 1);
  });

  it('says what it asked for and what to do', async () => {
    await using ec2 = await start(imds({}));
    await assert.rejects(
      ec2.metadata.read('iam/info', never),
      /\/latest\/meta-data\/iam\/info.*404.*hop limit/s,
    );
  });

  it('gives up after its bound', async () => {
    const server = await startLoopbackHttp(() => 'hang');
    await using _ = server;
    const clock = createFakeClock();
    const reading = createEc2Metadata({ clock, endpoint: server.url }).read('iam/info', never);
    const expected = assert.rejects(reading, isMetadataError);
    await server.arrived;
    await clock.advance(5_000);
    await expected;
    assert.equal(clock.pending, 0);
  });

  it('rejects with the reason of its signal', async () => {
    await using ec2 = await start(() => 'hang');
    const controller = new AbortController();
    const reading = ec2.metadata.read('iam/info', controller.signal);
    await ec2.server.arrived;
    const reason = new Error('enough');
    controller.abort(reason);
    await assert.rejects(reading, (thrown) => thrown === reason);
  });

  it('takes no answer that is too long', async () => {
    await using ec2 = await start(imds({ '/latest/meta-data/iam/info': 'x'.repeat(20_000) }));
    await assert.rejects(ec2.metadata.read('iam/info', never), /too long/);
  });
});
