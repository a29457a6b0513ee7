import type { Random } from '../../src/base/random.ts';
import type { FaultFact } from './check/history.ts';
import { drawPermitted, drawTemplate, type Happening, type Scenario } from './scenario.ts';
import type { LinkState } from './world/network.ts';
import type { SimPod } from './world/pods.ts';
import { askAsRogue } from './world/rogue.ts';
import { arnPrefix } from './world/runtime.ts';
import { calmSts, type StsMood } from './world/sts.ts';
import type { World, WorldNode } from './world/world.ts';

/** Makes things happen to a cluster. */
export interface Chaos {
  /** Lets one happen. */
  happen(what: Happening): void;
  /** Mends all that is broken. Nothing breaks again after it. */
  heal(): void;
}

/**
 * How long, after it was mended, a fault may still show, in milliseconds: what podpass needs to find it out and to come
 * back, from its own bounds and back-offs.
 */
const recovery = {
  /** Watches are opened again after 15 s at most, and may need a list. */
  api: 45_000,
  /** A watch whose connection was lost without a word is given up after 180 s of silence. */
  silence: 245_000,
  /** Streams are opened again after 5 s at most, each server having 3 s, and silence ends them after 12 s. */
  stream: 40_000,
  /** Calls that fail are made again after 60 s at most; one that hangs ends after 10 s. */
  sts: 150_000,
  /** A refusal is believed for 10 min at most. */
  refusal: 680_000,
  process: 45_000,
  clock: 150_000,
} as const;

/** What a fault touches. */
type Where = Pick<FaultFact, 'node' | 'server' | 'isSilent'>;

const everywhere: Where = { node: undefined };

export function createChaos(world: World, scenario: Scenario, random: Random): Chaos {
  const { clock, nodes, pods, runtime, serverPlaces } = world;
  const { network, api, sts, recorder } = runtime;
  const pick = <T>(values: readonly T[]): T | undefined => values[Math.floor(random.next() * values.length)];
  const between = (from: number, to: number) => from + random.next() * (to - from);
  /** What mends each fault that there is now. */
  const mends = new Set<() => void>();
  let isOver = false;

  /** Breaks something for a while. */
  function broken(
    kind: string,
    millis: number,
    recoveryMillis: number,
    where: Where,
    mend: () => void,
  ): void {
    const from = clock.monotonic();
    world.tell(`fault begins: ${kind}`);
    const undo = () => {
      if (!mends.delete(undo)) return;
      timer.cancel();
      world.tell(`fault ends: ${kind}`);
      recorder.fault({ kind, ...where, from, to: clock.monotonic(), recovery: recoveryMillis });
      mend();
    };
    const timer = clock.setTimer(millis * scenario.pace, undo);
    mends.add(undo);
  }

  /** Whoever asks the API server: each server, and each standalone node. */
  function askers(): { place: string; where: Where }[] {
    const standalone = nodes.filter(({ kind }) => kind === 'standalone');
    return [
      ...serverPlaces.map((place) => ({ place, where: { node: undefined, server: place } })),
      ...standalone.map(({ name }) => ({ place: name, where: { node: name } })),
    ];
  }

  function breakLink(
    a: string,
    b: string,
    state: LinkState,
    millis: number,
    rest: number,
    where: Where,
  ): void {
    if (network.linkState(a, b) !== 'open') return;
    network.setLink(a, b, state);
    const isSilent = state === 'hole';
    broken(`${a} to ${b} ${state}`, millis, rest, { ...where, isSilent }, () =>
      network.setLink(a, b, 'open'),
    );
  }

  function breakApi(state: LinkState, millis: number, rest: number): void {
    const asker = pick(askers());
    if (asker) breakLink(asker.place, 'api', state, millis, rest, asker.where);
  }

  function breakStream(state: LinkState, millis: number, rest: number): void {
    const node = pick(nodes.filter(({ kind }) => kind === 'agent'));
    const place = pick(serverPlaces);
    if (node && place) breakLink(node.name, place, state, millis, rest, { node: node.name, server: place });
  }

  function breakSts(state: LinkState, millis: number): void {
    const asker = pick(askers());
    // Who cannot call STS says so, and is not left for that.
    if (asker) breakLink(asker.place, 'sts', state, millis, recovery.sts, { node: asker.where.node });
  }

  function stsMood(mood: Partial<StsMood>, kind: string, millis: number, rest: number): void {
    sts.mood = { ...sts.mood, ...mood };
    const back = Object.fromEntries(Object.keys(mood).map((key) => [key, calmSts[key as keyof StsMood]]));
    broken(kind, millis, rest, everywhere, () => {
      sts.mood = { ...sts.mood, ...back };
    });
  }

  function stopped(kind: string, where: Where, millis: number, start: () => void): void {
    broken(kind, millis, recovery.process, where, start);
  }

  function aPod(filter: (pod: SimPod) => boolean = () => true): SimPod | undefined {
    return pick([...pods.all].filter((pod) => !pod.isDeleted && filter(pod)));
  }

  function create(node: WorldNode | undefined, name?: string): void {
    if (node) pods.create(node, drawTemplate(random, scenario.namespaces, name));
  }

  function killNodeProcess(): void {
    const node = pick(nodes);
    const process = pick(node?.processes ?? []);
    if (!node || !process) return;
    world.stopOn(node, process);
    stopped(`${process.name} is down`, { node: node.name }, between(200, 8_000), () => world.startOn(node));
  }

  /** The next one runs beside the last until it can answer. */
  function upgrade(): void {
    const node = pick(nodes);
    const [old] = node?.processes ?? [];
    if (!node || !old || node.processes.length > 1) return;
    const next = world.startOn(node);
    next.isListening = false;
    const began = clock.monotonic();
    const look = () => {
      if (isOver || next.isDead) return;
      if (next.isReady() || clock.monotonic() - began > 20_000) {
        next.isListening = true;
        // What the old one holds is answered first.
        old.isListening = false;
        clock.setTimer(1_000, () => world.stopOn(node, old));
        return;
      }
      clock.setTimer(100, look);
    };
    look();
    recorder.fault({
      kind: `upgrade of ${old.name}`,
      node: node.name,
      from: began,
      to: began + 20_000,
      recovery: recovery.process,
    });
  }

  function setClock(millis: number, staysMillis: number): void {
    const processes = [
      ...serverPlaces.flatMap((place) => world.serverAt(place) ?? []),
      ...nodes.flatMap(({ processes }) => processes),
    ];
    const process = pick(processes);
    if (!process) return;
    process.clock.step(millis);
    broken(
      `clock of ${process.name} set by ${Math.round(millis / 1_000)} s`,
      staysMillis,
      recovery.clock,
      everywhere,
      () => process.clock.step(-millis),
    );
    recorder.fault({
      kind: 'clock',
      node: undefined,
      from: clock.monotonic(),
      to: clock.monotonic() + 130_000 * scenario.pace,
      recovery: recovery.clock,
    });
  }

  const pickOne = <T>(values: readonly T[]) => pick(values) as T;

  const acts: Record<Happening, () => void> = {
    'create-pod': () => create(pick(nodes)),
    'remove-pod': () => {
      const pod = aPod();
      if (pod) pods.remove(pod);
    },
    'remove-pod-by-force': () => {
      const pod = aPod();
      if (pod) pods.removeByForce(pod);
    },
    'finish-pod': () => {
      const pod = aPod(({ isRunning }) => isRunning);
      if (pod) pods.finish(pod, random.next() < 0.5 ? 'Succeeded' : 'Failed');
    },
    'replace-pod'() {
      const pod = aPod(({ isRunning }) => isRunning);
      if (!pod) return;
      const { name } = pod.template;
      const { node } = pod;
      if (random.next() < 0.5) pods.removeByForce(pod);
      else pods.finish(pod, 'Succeeded');
      // Its name, or at least its address, has a new owner at once.
      const isSameName = random.next() < 0.5;
      clock.setTimer(random.next() * 600, () => create(node as WorldNode, isSameName ? name : undefined));
    },
    'annotate-pod'() {
      const pod = aPod();
      if (!pod) return;
      const { namespace, name, hostNetwork } = pod.template;
      const fresh = drawTemplate(random, scenario.namespaces, name);
      pods.annotate(pod, { ...fresh, namespace, hostNetwork });
    },
    'change-namespace'() {
      const name = pick(scenario.namespaces);
      if (name) world.setNamespace(name, drawPermitted(random, arnPrefix));
    },
    'kill-server'() {
      const place = pick(serverPlaces.filter((one) => world.serverAt(one)));
      if (!place) return;
      world.stopServerAt(place, 'kill');
      stopped(`${place} is down`, { node: undefined, server: place }, between(500, 20_000), () =>
        world.startServerAt(place),
      );
    },
    'roll-server'() {
      const place = pick(serverPlaces.filter((one) => world.serverAt(one)));
      if (!place) return;
      world.stopServerAt(place, 'drain');
      stopped(`${place} is replaced`, { node: undefined, server: place }, between(100, 3_000), () =>
        world.startServerAt(place),
      );
    },
    'kill-node-process': killNodeProcess,
    'upgrade-agent': upgrade,
    'cut-api': () => breakApi('cut', pickOne([5_000, 60_000, 240_000]) * random.next(), recovery.api),
    'hole-api': () => breakApi('hole', between(2_000, 90_000), recovery.silence),
    'slow-api': () => breakApi('slow', between(5_000, 60_000), recovery.api),
    'restart-api'() {
      for (const { place, where } of askers())
        breakLink(place, 'api', 'cut', between(1_000, 10_000), recovery.api, where);
      api.state.compact();
    },
    'expire-watches'() {
      api.state.compact();
      api.endWatches();
      const now = clock.monotonic();
      recorder.fault({ kind: '410', node: undefined, from: now, to: now, recovery: recovery.api });
    },
    'mangle-watches'() {
      if (api.mangling) return;
      api.mangling = {
        // No API server loses an event without a word. A server that lacks one that another has cannot know it.
        lost: serverPlaces.length === 1 ? pickOne([0, 0.2]) : 0,
        doubled: pickOne([0, 0.3]),
        swapped: pickOne([0, 0.3]),
        replayed: pickOne([0, 0.3]),
      };
      broken(
        'events of watches are lost, doubled, swapped, replayed',
        between(5_000, 60_000),
        recovery.api,
        everywhere,
        () => {
          api.mangling = undefined;
          // Nothing tells a watch that events were lost, but a list.
          api.state.compact();
          api.endWatches();
        },
      );
    },
    'cut-agent': () => breakStream('cut', 500 + pickOne([30_000, 150_000]) * random.next(), recovery.stream),
    'hole-agent': () => breakStream('hole', between(2_000, 60_000), recovery.stream),
    'slow-agent': () => breakStream('slow', between(5_000, 60_000), recovery.stream),
    'cut-sts': () => breakSts('cut', between(500, 120_000)),
    'hole-sts': () => breakSts('hole', between(2_000, 120_000)),
    'slow-sts': () => stsMood({ slowest: 9_000 }, 'STS is slow', between(5_000, 60_000), recovery.sts),
    'throttle-sts': () => stsMood({ throttling: 0.8 }, 'STS throttles', between(5_000, 90_000), recovery.sts),
    'fail-sts': () =>
      stsMood({ failing: pickOne([0.8, 1]) }, 'STS fails', between(5_000, 90_000), recovery.sts),
    'refuse-role'() {
      const role = pickOne(scenario.world.roles);
      const refused = new Set([arnPrefix + role]);
      stsMood({ refused }, `STS refuses ${role}`, between(5_000, 60_000), recovery.refusal);
    },
    'short-sessions': () =>
      stsMood({ lifeMillis: 300_000 }, 'sessions live for 5 min', between(10_000, 60_000), 330_000),
    'set-clock': () =>
      setClock(
        between(-1, 1) * pickOne([5_000, 600_000, 7_200_000]),
        random.next() * pickOne([4_000, 120_000]),
      ),
    'set-clock-back': () => setClock(-between(600_000, 7_200_000), between(30_000, 240_000)),
    'ask-as-rogue'() {
      const from = pick(nodes.filter(({ kind }) => kind === 'agent'));
      const about = pick(nodes.filter((node) => node !== from));
      if (from && about) askAsRogue(world, from, about, `10.0.${nodes.indexOf(about) + 1}.1`);
    },
    'ask-as-node'() {
      const node = pick(nodes);
      if (node) world.clients.ask({ uid: undefined, address: node.ip, node });
    },
  };

  return {
    happen(what) {
      if (!isOver) acts[what]();
    },
    heal() {
      for (const mend of [...mends]) mend();
      isOver = true;
    },
  };
}
