import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock } from '../base/fake-clock.ts';
import { createSilentLogger } from '../telemetry/logger.ts';
import { createServerAddresses, type Resolve } from './server-addresses.ts';
import { createServerRoster } from './server-roster.ts';

const never = new AbortController().signal;

function setUp(servers: string[], resolve: Resolve) {
  const clock = createFakeClock();
  const addresses = createServerAddresses({ servers, clock, logger: createSilentLogger(), resolve });
  const list = async () => (await addresses.list(never)).map(({ host, ip, port }) => `${host}=${ip}:${port}`);
  return { clock, addresses, list };
}

const notAsked: Resolve = () => assert.fail('nothing is to be resolved');

describe('the addresses of the servers', () => {
  it('are in the same order for every agent, whatever order DNS has them in', async () => {
    const all = ['10.0.0.9', '10.0.0.10', '2001:db8::1', '10.0.0.9'];
    const { list } = setUp(['podpass:443'], async () => all);
    const forwards = await list();
    all.reverse();
    assert.deepEqual(await list(), forwards);
    assert.deepEqual(forwards, ['podpass=10.0.0.10:443', 'podpass=10.0.0.9:443', 'podpass=2001:db8::1:443']);
  });

  it('come entry by entry, as configured', async () => {
    const { list } = setUp(['b:2', 'a:1'], async (host) => [host === 'a' ? '10.0.0.1' : '10.0.0.2']);
    assert.deepEqual(await list(), ['b=10.0.0.2:2', 'a=10.0.0.1:1']);
  });

  it('may be given as such', async () => {
    const { list } = setUp(['10.0.0.1:9610', '[::1]:9610'], notAsked);
    assert.deepEqual(await list(), ['10.0.0.1=10.0.0.1:9610', '::1=::1:9610']);
  });

  it('stay what they last were when DNS is away', async () => {
    let away = false;
    const { list } = setUp(['podpass:443'], async () => {
      if (away) throw new Error('ENOTFOUND');
      return ['10.0.0.1'];
    });
    await list();
    away = true;
    assert.deepEqual(await list(), ['podpass=10.0.0.1:443']);
  });

  it('are none when DNS was always away, and one bad name does not spoil the others', async () => {
    const { list } = setUp(['nowhere:1', 'podpass:443'], async (host) => {
      if (host === 'nowhere') throw new Error('ENOTFOUND');
      return ['10.0.0.1'];
    });
    assert.deepEqual(await list(), ['podpass=10.0.0.1:443']);
  });

  it('are not waited for longer than two seconds', async () => {
    const { list, clock } = setUp(['podpass:443'], () => new Promise(() => {}));
    const listing = list();
    await clock.advance(2_000);
    assert.deepEqual(await listing, []);
  });

  it('are not waited for when the signal aborts', async () => {
    const { addresses } = setUp(['podpass:443'], () => new Promise(() => {}));
    const stopping = new AbortController();
    const listing = addresses.list(stopping.signal);
    stopping.abort(new Error('stop'));
    await assert.rejects(listing, /stop/);
  });

  for (const bad of [
    '',
    'podpass',
    'podpass:',
    ':443',
    'podpass:0',
    'podpass:65536',
    '::1:443',
    'a b:1',
    'dns:///podpass:443',
  ]) {
    it(`cannot be ${JSON.stringify(bad)}`, () => {
      assert.throws(() => setUp([bad], notAsked), { code: 'ERR_USAGE', message: /--server-address/ });
    });
  }
});

describe('the roster of the servers', () => {
  function setUpRoster() {
    const { addresses, clock } = setUp(['podpass:443'], async () => ['10.0.0.1', '10.0.0.2', '10.0.0.3']);
    const roster = createServerRoster(addresses, clock);
    return {
      roster,
      clock,
      ips: async () => (await roster.list(never)).map(({ ip }) => ip.slice(-1)).join(''),
    };
  }

  it('has a server that failed behind the others, for half a minute', async () => {
    const { roster, clock, ips } = setUpRoster();
    assert.equal(await ips(), '123');
    roster.failed({ host: 'podpass', ip: '10.0.0.1', port: 443 });
    assert.equal(await ips(), '231');
    await clock.advance(29_999);
    assert.equal(await ips(), '231');
    await clock.advance(1);
    assert.equal(await ips(), '123');
  });

  it('has them all as ever when all have failed', async () => {
    const { roster, ips } = setUpRoster();
    for (const ip of ['10.0.0.3', '10.0.0.1', '10.0.0.2']) roster.failed({ host: 'podpass', ip, port: 443 });
    assert.equal(await ips(), '123');
  });
});
