import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Firewall, type FirewallOptions, installFirewall } from './firewall.ts';
import { type Answers, createFakeHost } from './testing/fake-host.ts';

const guarded =
  '4: from all to 169.254.169.254 iif lo goto 6\n5:\tfrom all to 169.254.169.254 prohibit\n6: from all nop\n';
const working: Answers = { nft: 'table inet podpass { as installed }', 'ip -': guarded };
const failed = (message: string) => ({ kind: 'failed', message }) as const;

/** Watches until the test ends. */
function watch(firewall: Firewall, t: { after: (end: () => Promise<void>) => void }): void {
  const stop = new AbortController();
  const watching = firewall.watch(stop.signal);
  t.after(async () => {
    stop.abort();
    await watching;
  });
}

describe('installFirewall', () => {
  it('closes the way to the metadata service before it tries anything else', async () => {
    const host = createFakeHost({ ...working, 'ip -4 rule show': '0: from all lookup local\n' });
    await installFirewall(host.options);
    assert.deepEqual(
      host.calls.slice(0, 2).map((call) => call.split('\n')[0]),
      ['ip -4 rule show', 'ip -4 -batch - < rule add pref 6 nop'],
    );
    assert.match(host.calls[1] ?? '', /goto 6\n.* prohibit\n/);
  });

  it('takes iptables where nftables fails, and says so', async () => {
    const host = createFakeHost({ ...working, nft: failed('no such kernel'), iptables: '' });
    await installFirewall(host.options);
    assert.ok(host.log.some((line) => /^warning: using iptables instead.*no such kernel/.test(line)));
    assert.ok(host.calls.some((call) => call.includes('-I PREROUTING 1')));
  });

  for (const [kind, answers, said] of [
    ['auto', {}, /nftables: not on this machine; iptables: not on this machine.*NET_ADMIN/],
    ['nftables', { nft: failed('boom'), iptables: '' }, /nftables: boom\)/],
    ['iptables', { nft: '', 'iptables --version': '', 'iptables-': failed('boom') }, /iptables: boom\)/],
  ] as const) {
    it(`throws where ${kind} cannot install it`, async () => {
      const host = createFakeHost({ 'ip -': guarded, ...answers });
      await assert.rejects(installFirewall({ ...host.options, kind }), {
        code: 'ERR_FIREWALL',
        message: said,
      });
    });
  }

  it('goes on without ip, and says once what that means', async (t) => {
    const host = createFakeHost({ nft: working.nft ?? '' });
    watch(await installFirewall(host.options), t);
    await host.clock.advance(120_000);
    assert.equal(
      host.log.filter((line) => /route guard cannot be set up: there is no ip/.test(line)).length,
      1,
    );
  });

  it('takes the routing rules of an earlier start away under --no-route-guard', async () => {
    const host = createFakeHost(working);
    await installFirewall({ ...host.options, routeGuard: false });
    assert.match(host.calls[1] ?? '', /^ip -4 -batch - < rule del pref 5 .* prohibit\nrule del pref 4 /);
  });
});

describe('the rule beside another agent', () => {
  const kiamsRule =
    '-A PREROUTING -d 169.254.169.254/32 -i cali+ -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.1:8180';

  async function start(changes: Answers = {}, options: Partial<FirewallOptions> = {}) {
    const answers: Answers = {
      ...working,
      'nft -s': failed('No such file or directory'),
      'nft -f': failed('not before it is time'),
      'iptables --version': 'iptables v1.8.9 (nf_tables)',
      'iptables -w': kiamsRule,
      ...changes,
    };
    const host = createFakeHost(answers);
    host.listening.add(8180);
    const firewall = await installFirewall({ ...host.options, kind: 'nftables', ...options });
    answers['nft -f'] = '';
    answers['nft -s'] = 'table inet podpass { as installed }';
    const state = { canAnswer: false };
    const stop = new AbortController();
    const done = firewall.takeOver(() => state.canAnswer, stop.signal);
    const isInstalled = () => host.calls.some((call) => call.startsWith('nft -f'));
    return { ...host, firewall, state, stop, done, isInstalled };
  }

  it('waits until this one can answer, and says so; the guard does not', async () => {
    const { calls, clock, health, state, done, isInstalled } = await start();
    assert.equal(calls[0], 'ip -4 rule show');
    await clock.advance(60_000);
    assert.equal(isInstalled(), false);
    assert.match(health.report('ready').checks[0]?.message ?? '', /the agent at 10\.0\.0\.1:8180 answers/);
    state.canAnswer = true;
    await clock.advance(50);
    await done;
    assert.equal(isInstalled(), true);
    assert.equal(health.report('ready').ok, true);
  });

  it('is installed when that one listens no more', async () => {
    const { listening, clock, done, isInstalled } = await start();
    listening.clear();
    await clock.advance(1_000);
    await done;
    assert.equal(isInstalled(), true);
  });

  it('is installed when the rule that leads there is gone', async () => {
    const { answers, clock, done, isInstalled } = await start();
    answers['iptables -w'] = '-P PREROUTING ACCEPT';
    await clock.advance(1_000);
    await done;
    assert.equal(isInstalled(), true);
  });

  it('is not installed because a tool has failed once', async () => {
    const { answers, clock, done, isInstalled } = await start();
    for (let round = 0; round < 3; round++) {
      answers['iptables -w'] = failed('another app holds the xtables lock');
      await clock.advance(500);
      answers['iptables -w'] = kiamsRule;
      await clock.advance(500);
    }
    assert.equal(isInstalled(), false);
    answers['iptables -w'] = failed('another app holds the xtables lock');
    await clock.advance(1_000);
    await done;
    assert.equal(isInstalled(), true);
  });

  it('is never installed by an agent that ends before', async () => {
    const { stop, clock, done, firewall, isInstalled } = await start();
    stop.abort();
    await clock.advance(1_000);
    await done;
    await firewall.watch(stop.signal);
    assert.equal(isInstalled(), false);
  });

  it('says so when it cannot be installed then', async () => {
    const { answers, state, clock, done } = await start();
    answers['nft -f'] = failed('boom');
    state.canAnswer = true;
    const refused = assert.rejects(done, { code: 'ERR_FIREWALL', message: /boom/ });
    await clock.advance(50);
    await refused;
  });

  for (const [what, changes, options] of [
    ['without a guard', {}, { routeGuard: false }],
    ['where the guard cannot be set up', { 'ip -': failed('no such thing') }, {}],
    ['where our table is there already', { 'nft -s': 'table inet podpass { of an earlier start }' }, {}],
  ] as const) {
    it(`is installed at once ${what}`, async () => {
      const { calls } = await start({ 'nft -f': '', 'nft -s': 'table inet podpass {}', ...changes }, options);
      assert.ok(calls.some((call) => call.startsWith('nft -f')));
    });
  }
});

describe('the rule while the agent runs', () => {
  async function start(t: Parameters<typeof watch>[1]) {
    const host = createFakeHost({ ...working });
    watch(await installFirewall(host.options), t);
    const installs = () => host.calls.filter((call) => call.startsWith('nft -f')).length;
    const ok = async () => (await host.metrics.firewallOk.get()).values[0]?.value;
    const repairs = async () => (await host.metrics.firewallRepairs.get()).values;
    return { ...host, installs, ok, repairs };
  }

  it('is left alone while nothing has changed, at one tool run per interval', async (t) => {
    const { clock, calls, installs, ok } = await start(t);
    calls.length = 0;
    await clock.advance(50_000);
    assert.deepEqual(calls, Array(5).fill('nft -s list table inet podpass'));
    await clock.advance(10_000);
    assert.equal(calls.at(-1), 'ip -4 rule show');
    assert.equal(installs(), 0);
    assert.equal(await ok(), 1);
  });

  it('is installed again within an interval when it is gone or changed', async (t) => {
    const { clock, answers, log, installs, ok, repairs } = await start(t);
    answers['nft -s'] = 'table inet podpass { something else }';
    await clock.advance(10_000);
    assert.equal(installs(), 2);
    answers['nft -s'] = failed('No such file or directory');
    answers['nft -f'] = '';
    await clock.advance(10_000);
    assert.equal(installs(), 3);
    assert.ok(log.some((line) => /^warning: the rule was not as it should be/.test(line)));
    assert.deepEqual(await ok(), 0);
    assert.deepEqual((await repairs())[0]?.labels, { part: 'rule' });
  });

  it('is reported once, and the agent is not ready, while it cannot be installed again', async (t) => {
    const { clock, answers, health, log, ok } = await start(t);
    const errors = () => log.filter((line) => line.startsWith('error')).length;
    assert.equal(health.report('ready').ok, true);
    answers.nft = failed('no more nftables');
    await clock.advance(30_000);
    assert.deepEqual([errors(), await ok()], [1, 0]);
    assert.deepEqual(health.report('ready').checks, [
      { name: 'firewall', ok: false, message: 'no more nftables' },
    ]);
    answers.nft = working.nft ?? '';
    await clock.advance(10_000);
    assert.deepEqual([health.report('ready').ok, await ok()], [true, 1]);
  });

  it('has its routing rules put back', async (t) => {
    const { clock, answers, calls, repairs } = await start(t);
    answers['ip -4 rule show'] = '0: from all lookup local\n5: from all to 169.254.169.254 prohibit\n';
    await clock.advance(60_000);
    assert.equal(
      calls.at(-1),
      'ip -4 -batch - < rule add pref 6 nop\nrule add pref 4 iif lo to 169.254.169.254 goto 6\n',
    );
    assert.deepEqual((await repairs())[0]?.labels, { part: 'route-guard' });
  });

  it('names unknown interfaces of metadata packets once', async (t) => {
    const { clock, answers, log } = await start(t);
    answers['nft -s'] = 'table inet podpass { as installed elements = { "eni1" expires 59m } }';
    await clock.advance(30_000);
    answers['nft -s'] =
      'table inet podpass { as installed elements = { "eni1" expires 59m, "eni2" expires 1h } }';
    await clock.advance(20_000);
    const named = log.filter((line) => line.includes('metadata requests arrive through'));
    assert.deepEqual(
      named.map((line) => /"interfaces":"([^"]+)"/.exec(line)?.[1]),
      ['eni1', 'eni2'],
    );
  });

  it('says whether it could be removed', async () => {
    const host = createFakeHost({ ...working });
    const firewall = await installFirewall(host.options);
    host.answers.nft = failed('busy');
    await firewall.remove();
    assert.ok(host.log.some((line) => /^error: the rule could not be removed .*busy/.test(line)));
    host.answers.nft = working.nft ?? '';
    await firewall.remove();
    assert.ok(host.log.some((line) => line.startsWith('info: iptables rule was successfully removed')));
    // Nothing of it may come back: a chain would bring its table.
    host.calls.length = 0;
    await (await firewall.holdNewcomers())();
    assert.deepEqual(host.calls, []);
  });
});
