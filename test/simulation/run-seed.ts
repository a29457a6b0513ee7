import { createSeededRandom, type Random } from '../../src/base/random.ts';
import { createChaos } from './chaos.ts';
import { check } from './check/check.ts';
import type { History } from './check/history.ts';
import type { Violation } from './check/violation.ts';
import { drawPermitted, drawScenario, drawTemplate, type Happening } from './scenario.ts';
import type { SimPod } from './world/pods.ts';
import { arnPrefix } from './world/runtime.ts';
import { createWorld, type World } from './world/world.ts';

export interface SeedOutcome {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly history: History;
  /** Milliseconds of the simulated world. */
  readonly millis: number;
}

/** Time for the last changes to show, and for whoever is entitled to be served. */
const settleMillis = 15_000;

/**
 * Runs one seed: draws a cluster and what happens to it, lets it happen, mends everything, waits for as long as
 * podpass may need, asks for every pod again, and checks the history.
 *
 * @param tell gets each line of the story
 */
export async function runSeed(seed: number, tell?: (line: string) => void): Promise<SeedOutcome> {
  const random = createSeededRandom(seed);
  const scenario = drawScenario(random);
  const chaosRandom = split(random);
  const clientRandom = split(random);
  let isOver = false;
  const world: World = createWorld({
    ...scenario.world,
    random: split(random),
    tell,
    onPodStart(pod) {
      keepAsking(pod);
    },
  });
  const { clock, nodes, pods, serverPlaces } = world;
  const exponential = (mean: number) => -Math.log(1 - clientRandom.next()) * mean;

  function askFor(pod: SimPod): void {
    const uid = pod.template.hostNetwork ? undefined : pod.uid;
    world.clients.ask({ uid, address: pod.address, node: pod.node });
  }

  /** A container asks as it starts, again soon, and then now and then, for as long as it runs. */
  function keepAsking(pod: SimPod): void {
    const again = () => {
      if (!pod.isRunning || isOver) return;
      askFor(pod);
      clock.setTimer(exponential(scenario.askMillis), again);
    };
    clock.setTimer(clientRandom.next() * 50, again);
    clock.setTimer(clientRandom.next() * 1_500, () => {
      if (pod.isRunning) askFor(pod);
    });
  }

  for (const name of scenario.namespaces) world.setNamespace(name, drawPermitted(random, arnPrefix));
  for (const place of serverPlaces) world.startServerAt(place);
  for (const node of nodes) world.startOn(node);
  const chaos = createChaos(world, scenario, chaosRandom);
  for (let i = 0; i < scenario.pods; i += 1) {
    const node = nodes[Math.floor(random.next() * nodes.length)];
    if (node) pods.create(node, drawTemplate(random, scenario.namespaces));
  }

  for (const [what, mean] of Object.entries(scenario.every)) {
    if (mean === undefined) continue;
    const again = () => {
      chaos.happen(what as Happening);
      clock.setTimer(exponential(mean), again);
    };
    clock.setTimer(exponential(mean), again);
  }
  await clock.advance(scenario.chaosMillis);
  chaos.heal();
  isOver = true;
  world.tell('all is mended');

  const rest = restOf(world.history(), clock.monotonic());
  await clock.advance(rest + settleMillis);
  for (let round = 0; round < 2; round += 1) {
    for (const pod of pods.all) if (pod.isRunning) askFor(pod);
    await clock.advance(1_500);
  }
  world.end();
  const history = world.history();
  return { seed, violations: check(history), history, millis: clock.monotonic() };
}

/** How long the last of the faults may still show. */
function restOf({ faults }: History, now: number): number {
  return Math.max(0, ...faults.map(({ to, recovery }) => to + recovery - now));
}

/** A sequence of its own, so that what one part draws does not change what another draws. */
function split(random: Random): Random {
  return createSeededRandom(Math.floor(random.next() * 2 ** 32));
}
