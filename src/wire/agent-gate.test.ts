import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Metadata, status } from '@grpc/grpc-js';
import { createFakeClock } from '../base/fake-clock.ts';
import { createLogger } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { type Agent, createAgentGate, type Refusal } from './agent-gate.ts';
import type { TokenProof } from './agent-tokens.ts';
import { setBearer } from './bearer-token.ts';
import { createGateReports, type NodeEvent } from './gate-reports.ts';

const proven: TokenProof = { kind: 'proven', nodeName: 'node-1', podUid: 'uid-agent', isSeen: true };
const known: Readonly<Record<string, string>> = {
  '192.168.0.1': 'node-1',
  '192.168.0.2': 'node-2',
  'fd00::1': 'node-1',
};

function setUp(scope: 'auto' | 'enforce' = 'auto', whenSynced = Promise.resolve()) {
  const clock = createFakeClock();
  const metrics = createMetrics();
  const lines: { level: string; msg: string }[] = [];
  const events: NodeEvent[] = [];
  const world = { proof: proven as TokenProof | Promise<TokenProof>, holds: true, known: { ...known } };
  const gate = createAgentGate({
    scope,
    tokens: { check: () => world.proof, holds: () => world.holds },
    nodeAt: (address) => world.known[address],
    nodeOf: (hostIp) => world.known[hostIp],
    clock,
    whenSynced,
    reports: createGateReports({
      clock,
      metrics,
      logger: createLogger({
        level: 'info',
        json: true,
        clock,
        write: (line) => lines.push(JSON.parse(line)),
      }),
      record: (event) => events.push(event),
      isNode: (name) => name === 'node-1' || name === 'node-2',
    }),
  });
  function admit(
    address: string,
    token?: string,
    asked?: string,
  ): Agent | Refusal | Promise<Agent | Refusal> {
    const metadata = new Metadata();
    if (token !== undefined) setBearer(metadata, token);
    return gate.admit({ getPeer: () => `${address}:40000`, metadata }, () => asked);
  }
  async function admitted(address: string, token?: string): Promise<Agent> {
    const agent = await admit(address, token);
    assert.ok(agent.kind !== 'refused', JSON.stringify(agent));
    return agent;
  }
  async function calls(): Promise<string[]> {
    const { values } = await metrics.agentCalls.get();
    return values
      .filter(({ value }) => value > 0)
      .map(({ labels, value }) => `${labels.proof} ${labels.outcome} ${value}`)
      .sort();
  }
  return { clock, world, gate, admit, admitted, events, lines, calls };
}

const nowhere = '203.0.113.9';

describe('who is let in', () => {
  const away: TokenProof = { kind: 'unreviewed' };
  const bad: TokenProof = { kind: 'refused', message: 'token has expired' };
  const late: TokenProof = { kind: 'unready', message: 'not yet' };
  type Outcome = 'node-1' | 'node-2' | 'unproven' | 'UNAUTHENTICATED' | 'PERMISSION_DENIED' | 'UNAVAILABLE';
  const table: [string, TokenProof | undefined, 'auto' | 'enforce', Outcome][] = [
    ['192.168.0.1', undefined, 'auto', 'node-1'],
    ['192.168.0.1', undefined, 'enforce', 'node-1'],
    ['::ffff:192.168.0.1', undefined, 'auto', 'node-1'],
    ['fd00::1', undefined, 'auto', 'node-1'],
    [nowhere, undefined, 'auto', 'unproven'],
    [nowhere, undefined, 'enforce', 'PERMISSION_DENIED'],
    // The token is the stronger proof: behind NAT the address is another node's.
    ['192.168.0.2', proven, 'enforce', 'node-1'],
    [nowhere, proven, 'enforce', 'node-1'],
    // A token that is refused is not made up for.
    ['192.168.0.1', bad, 'auto', 'UNAUTHENTICATED'],
    [nowhere, bad, 'auto', 'UNAUTHENTICATED'],
    ['192.168.0.1', late, 'auto', 'UNAVAILABLE'],
    // One that nobody could look at is as good as none.
    ['192.168.0.2', away, 'enforce', 'node-2'],
    [nowhere, away, 'auto', 'unproven'],
    [nowhere, away, 'enforce', 'PERMISSION_DENIED'],
  ];
  for (const [address, proof, scope, outcome] of table) {
    it(`${scope}: ${outcome} for ${address} with ${proof?.kind ?? 'no'} token`, async () => {
      const { world, admit } = setUp(scope);
      for (const reviewed of [proof ?? proven, Promise.resolve(proof ?? proven)]) {
        world.proof = reviewed;
        const agent = await admit(address, proof && 'a.b.c');
        const found =
          agent.kind === 'refused' ? status[agent.code] : agent.kind === 'node' ? agent.nodeName : agent.kind;
        assert.equal(found, outcome);
      }
    });
  }

  it('is not decided by an unknown address before the cluster has been seen', async () => {
    const { promise: whenSynced, resolve: sync } = Promise.withResolvers<void>();
    const { clock, world, admit, lines } = setUp('enforce', whenSynced);
    const early = admit(nowhere);
    await clock.advance(2_500);
    const refused = await early;
    assert.ok(refused.kind === 'refused' && refused.code === status.UNAVAILABLE);
    const held = admit(nowhere);
    world.known[nowhere] = 'node-2';
    sync();
    const agent = await held;
    assert.ok(agent.kind === 'node' && agent.nodeName === 'node-2');
    assert.deepEqual([lines.length, clock.pending], [0, 0]);
  });

  it('is told in the same turn where nobody has to be asked', () => {
    const { admit } = setUp();
    for (const token of [undefined, 'a.b.c']) assert.ok(!(admit('192.168.0.1', token) instanceof Promise));
  });

  it('is nobody with an authorization that is no token', async () => {
    const { gate } = setUp();
    const metadata = new Metadata();
    metadata.set('authorization', 'Basic c2VjcmV0');
    const agent = await gate.admit({ getPeer: () => '192.168.0.1:1', metadata }, () => undefined);
    assert.ok(agent.kind === 'refused' && agent.code === status.UNAUTHENTICATED);
    assert.ok(!agent.details.includes('c2VjcmV0'));
  });
});

describe('whose pods an agent may have', () => {
  it('are those of its node, by whatever it names the node', async () => {
    const { gate, admitted } = setUp();
    const agent = await admitted('192.168.0.1');
    const allowed = { kind: 'allowed', node: { nodeName: 'node-1' } };
    for (const asked of [{ nodeName: 'node-1' }, { hostIp: '192.168.0.1' }, { hostIp: '10.1.1.1' }])
      assert.deepEqual(gate.narrow(agent, asked), allowed);
  });

  for (const asked of [{ nodeName: 'node-2' }, { hostIp: '192.168.0.2' }]) {
    it(`are not those of another: ${JSON.stringify(asked)}`, async () => {
      const { gate, admitted, events, lines, calls } = setUp();
      for (const token of [undefined, 'a.b.c']) {
        const narrowed = gate.narrow(await admitted('192.168.0.1', token), asked);
        assert.ok(narrowed.kind === 'refused' && narrowed.code === status.PERMISSION_DENIED);
        assert.match(
          narrowed.details,
          /is on node node-1 by its (token|address 192\.168\.0\.1) asked for the pods of node node-2/,
        );
        assert.match(narrowed.details, /--agent-scope=off/);
      }
      assert.deepEqual(await calls(), ['address refused 1', 'token refused 1']);
      assert.deepEqual(
        events.map(({ nodeName, reason }) => [nodeName, reason]),
        [['node-2', 'PodpassAgentRefused']],
        'once for one address and node',
      );
      assert.equal(lines.length, 1);
    });
  }

  it('are any, where it proves nothing: with a warning and an event once an hour, and a count each time', async () => {
    const { clock, gate, admitted, events, lines, calls } = setUp();
    const agent = await admitted(nowhere);
    for (let i = 0; i < 100; i += 1) {
      assert.deepEqual(gate.narrow(agent, { nodeName: 'node-2' }), {
        kind: 'allowed',
        node: { nodeName: 'node-2' },
      });
      await clock.advance(30_000);
    }
    assert.deepEqual(await calls(), ['certificate served 100']);
    assert.equal(lines.length, 1);
    assert.deepEqual(
      [events.length, events[0]?.nodeName, events[0]?.reason],
      [1, 'node-2', 'PodpassAgentUnproven'],
    );
    assert.match(
      events[0]?.message ?? '',
      /at 203\.0\.113\.9 was served by its certificate alone.*Mount a service account token/,
    );
    await clock.advance(600_000);
    gate.narrow(agent, { nodeName: 'node-2' });
    assert.equal(events.length, 2);
  });

  it('causes no event on a node that an agent made up', async () => {
    const { gate, admitted, events, lines } = setUp();
    for (let i = 0; i < 100; i += 1)
      gate.narrow(await admitted('192.168.0.1'), { nodeName: `made-up-${i}\n\ud800` });
    gate.narrow(await admitted(nowhere), { nodeName: 'made-up' });
    assert.deepEqual(events, []);
    assert.equal(lines.length, 2);
  });

  it('counts calls that were served, and those for pods elsewhere', async () => {
    const { gate, admitted, events, calls } = setUp();
    const agent = await admitted('192.168.0.1');
    gate.served(agent, () => 'node-1');
    gate.missed(agent, 'node-2');
    assert.deepEqual(await calls(), ['address refused 1', 'address served 1']);
    assert.deepEqual(
      await calls(),
      ['address refused 1', 'address served 1'],
      'reading counts nothing twice',
    );
    assert.deepEqual(
      events.map(({ nodeName }) => nodeName),
      ['node-2'],
    );
  });
});

describe('a proof', () => {
  it('holds while the address is that of its node, or the token says so', async () => {
    const { world, gate, admitted } = setUp();
    const [byAddress, byToken, unproven] = [
      await admitted('192.168.0.1'),
      await admitted('192.168.0.1', 'a.b.c'),
      await admitted(nowhere),
    ];
    const holding = () => [byAddress, byToken, unproven].map((agent) => gate.holds(agent));
    assert.deepEqual(holding(), [true, true, true]);
    world.known['192.168.0.1'] = 'node-3';
    assert.deepEqual(holding(), [false, true, true]);
    world.holds = false;
    assert.deepEqual(holding(), [false, false, true]);
    world.known[nowhere] = 'node-1';
    assert.deepEqual(holding(), [false, false, false], 'it has a proof by now');
  });
});

describe('a refusal by enforce', () => {
  it('is an event on the node whose pods were asked for', async () => {
    const { admit, events } = setUp('enforce');
    await admit(nowhere, undefined, 'node-2');
    assert.deepEqual(
      events.map(({ nodeName, reason }) => [nodeName, reason]),
      [['node-2', 'PodpassAgentRefused']],
    );
    assert.match(events[0]?.message ?? '', /does not show which node it is on: .*--agent-scope=auto/);
  });
});
