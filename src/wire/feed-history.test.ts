import { describe, it } from 'node:test';
import { createSeededRandom } from '../base/random.ts';
import { makeView } from '../broker/testing/objects.ts';
import { createFakeNodeSource } from './testing/fake-node-source.ts';
import { startAgent, startBrokerServer, type TestServer, until } from './testing/harness.ts';

const never = new AbortController().signal;

/**
 * Two replicas over one cluster, an agent, and a history drawn from a seed: pods come, change and go, replicas drain,
 * are cut off and come back, searches are made. Whatever happened, the agent ends up with what there is.
 */
async function play(seed: number, steps: number): Promise<void> {
  const random = createSeededRandom(seed);
  const pick = (count: number) => Math.floor(random.next() * count);
  const source = createFakeNodeSource();
  const truth = new Map<string, string>();
  const ports: number[] = [];
  const replicas: (TestServer | undefined)[] = [];
  for (let i = 0; i < 2; i += 1) {
    const replica = await startBrokerServer({ source });
    ports.push(replica.port);
    replicas.push(replica);
  }
  const agent = startAgent(ports);

  const isSynced = () => agent.feed.status.kind === 'connected' && agent.feed.status.synced;

  async function change(): Promise<void> {
    const name = `web-${pick(6)}`;
    const replica = pick(2);
    switch (pick(9)) {
      case 0:
      case 1:
      case 2: {
        const view = makeView({ name, addresses: [`10.0.0.${pick(250)}`] });
        source.set(view);
        truth.set(view.uid, view.addresses.join());
        return;
      }
      case 3:
        source.delete(`uid-${name}`);
        truth.delete(`uid-${name}`);
        return;
      case 4:
        replicas[replica]?.server.close();
        replicas[replica] = undefined;
        return;
      case 5: {
        const draining = replicas[replica]?.server.drain(1_000);
        replicas[replica] = undefined;
        await draining;
        return;
      }
      case 6:
      case 7:
        if (replicas.some((one) => one)) await until('the agent is in sync', isSynced, agent.clock, 50);
        return;
      default: {
        const search = agent.feed.find(`10.0.0.${pick(250)}`, { waitMillis: 50, signal: never });
        replicas[replica] ??= await startBrokerServer({ source, port: ports[replica] ?? 0 });
        await agent.clock.advance(50 + 250);
        await search;
      }
    }
  }

  try {
    for (let i = 0; i < steps; i += 1) {
      await change();
      await agent.clock.advance(pick(40));
      // Time for what is on its way over the connection, or a part of it.
      for (let turns = pick(12); turns > 0; turns -= 1) await new Promise(setImmediate);
    }
    for (let i = 0; i < 2; i += 1) {
      replicas[i] ??= await startBrokerServer({ source, port: ports[i] ?? 0 });
    }
    const held = () =>
      JSON.stringify(
        [...agent.sink.held.values()].map(({ uid, addresses }) => [uid, addresses.join()]).sort(),
      );
    const expected = JSON.stringify([...truth].sort());
    await until(`the agent holds ${expected}`, () => isSynced() && held() === expected, agent.clock, 50);
  } catch (error) {
    throw new Error(`with seed ${seed}`, { cause: error });
  } finally {
    await agent.stop();
    for (const replica of replicas) replica?.server.close();
  }
}

describe('an agent through a history of faults', () => {
  for (let seed = 1; seed <= 8; seed += 1) {
    it(`ends up with what there is (seed ${seed})`, () => play(seed, 60));
  }
});
