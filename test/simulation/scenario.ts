import type { Random } from '../../src/base/random.ts';
import type { PodTemplate } from './world/pods.ts';
import type { WorldOptions } from './world/world.ts';

/** What is done to a cluster, and how often: the mean time between two of a kind in milliseconds, or never. */
export interface Scenario {
  readonly world: Omit<WorldOptions, 'random' | 'tell' | 'onPodStart'>;
  /** How long things happen to it. */
  readonly chaosMillis: number;
  /** How much longer than usual everything takes: in a run of many minutes sessions end, and faults outlast them. */
  readonly pace: number;
  readonly namespaces: readonly string[];
  /** Pods that are made at the beginning. */
  readonly pods: number;
  /** Between two requests of a pod. */
  readonly askMillis: number;
  readonly every: Readonly<Record<Happening, number | undefined>>;
}

/** All that can happen. */
export const happenings = [
  'create-pod',
  'remove-pod',
  'remove-pod-by-force',
  'finish-pod',
  'replace-pod',
  'annotate-pod',
  'change-namespace',
  'kill-server',
  'roll-server',
  'kill-node-process',
  'upgrade-agent',
  'cut-api',
  'hole-api',
  'slow-api',
  'restart-api',
  'expire-watches',
  'mangle-watches',
  'cut-agent',
  'hole-agent',
  'slow-agent',
  'cut-sts',
  'hole-sts',
  'slow-sts',
  'throttle-sts',
  'fail-sts',
  'refuse-role',
  'short-sessions',
  'set-clock',
  'set-clock-back',
  'ask-as-rogue',
  'ask-as-node',
] as const;
export type Happening = (typeof happenings)[number];

/** What makes a cluster a cluster; everything else is a fault or an attack, of which a run has some. */
const ordinary: ReadonlySet<Happening> = new Set([
  'create-pod',
  'remove-pod',
  'finish-pod',
  'replace-pod',
  'annotate-pod',
  'change-namespace',
  'ask-as-node',
  'ask-as-rogue',
]);

/** What does its harm when sessions end: in runs that are long enough for that. */
const ofSessions: ReadonlySet<Happening> = new Set([
  'cut-sts',
  'fail-sts',
  'short-sessions',
  'set-clock',
  'set-clock-back',
]);

/** A run in which little is wrong: else other faults excuse too much of what happens. */
interface Theme {
  /** What goes wrong. Some do their harm together alone. */
  readonly faults: readonly Happening[];
  /** Whether sessions have to end for it. */
  readonly isLong: boolean;
  /** The mean time between two faults of a kind, and between two ordinary things, in milliseconds: from and to. */
  readonly faultMillis: readonly [number, number];
  readonly changeMillis: readonly [number, number];
}

const lively = [4_000, 25_000] as const;
const still = [60_000, 300_000] as const;
const frequent = [10_000, 60_000] as const;
const rare = [40_000, 150_000] as const;

const themes: readonly Theme[] = [
  { faults: ['set-clock', 'short-sessions'], isLong: false, faultMillis: frequent, changeMillis: lively },
  { faults: ['set-clock-back'], isLong: true, faultMillis: frequent, changeMillis: still },
  { faults: ['set-clock', 'fail-sts', 'cut-sts'], isLong: true, faultMillis: frequent, changeMillis: still },
  { faults: ['set-clock-back', 'cut-agent'], isLong: true, faultMillis: frequent, changeMillis: still },
  { faults: ['cut-api'], isLong: false, faultMillis: rare, changeMillis: lively },
  { faults: ['cut-api', 'kill-server'], isLong: false, faultMillis: rare, changeMillis: lively },
  { faults: ['hole-api', 'cut-agent'], isLong: false, faultMillis: frequent, changeMillis: lively },
  { faults: ['mangle-watches'], isLong: false, faultMillis: frequent, changeMillis: lively },
  {
    faults: ['kill-node-process', 'upgrade-agent'],
    isLong: false,
    faultMillis: frequent,
    changeMillis: lively,
  },
];

const minute = 60_000;
const roles = ['reader', 'writer', 'auditor', 'backup'];

/**
 * Draws a scenario. Not every run has everything: with few kinds of faults at a time each gets room to do its harm, and
 * runs differ more than if all were alike.
 */
export function drawScenario(random: Random): Scenario {
  const chance = (share: number) => random.next() < share;
  const between = (from: number, to: number) => from + random.next() * (to - from);
  const whole = (from: number, to: number) => Math.floor(between(from, to + 1));
  const theme = chance(0.2) ? themes[whole(0, themes.length - 1)] : undefined;
  const isLong = theme ? theme.isLong : chance(0.08);
  const [shortest, longest] = isLong ? [20, 40] : theme ? [2, 5] : [0.7, 2];
  const pace = isLong ? 8 : 1;
  const faults = whole(0, 6);
  const likelihood = (happening: Happening) => {
    if (ordinary.has(happening)) return 0.7;
    if (theme) return theme.faults.includes(happening) ? 1 : 0;
    if (isLong && ofSessions.has(happening)) return 0.5;
    return happening === 'set-clock' ? 0.3 : faults / 24;
  };
  const { faultMillis = frequent, changeMillis = lively } = theme ?? {};
  const every = Object.fromEntries(
    happenings.map((happening) => {
      const isOn = chance(likelihood(happening));
      if (!isOn) return [happening, undefined];
      const [from, to] = ordinary.has(happening) ? changeMillis : faultMillis;
      return [happening, between(from, to) * pace];
    }),
  ) as Record<Happening, number | undefined>;
  return {
    world: {
      servers: whole(1, 3),
      nodes: Array.from({ length: whole(1, 3) }, () => ({
        kind: chance(0.25) ? 'standalone' : 'agent',
        addresses: whole(1, 4),
      })),
      roles,
      hasTokens: chance(0.7),
      streamsLists: chance(0.6),
      sessionMillis: (isLong || chance(0.5) ? 15 : 60) * minute,
      agentScope: chance(0.5) ? 'enforce' : 'auto',
      imds: chance(0.3) ? 'v2-required' : 'v2-preferred',
      maxStreamAgeMillis: chance(0.3) ? between(20_000, 120_000) : 0,
      callsPerSecond: chance(0.3) ? 1 : 20,
    },
    chaosMillis: between(shortest, longest) * minute,
    pace,
    namespaces: ['shop', 'bank'].slice(0, whole(1, 2)),
    pods: whole(1, 6),
    askMillis: between(2_000, 15_000) * pace,
    every,
  };
}

/** A pod as somebody might write it. A name is used again: pods of a StatefulSet have the names of those before. */
export function drawTemplate(random: Random, namespaces: readonly string[], name?: string): PodTemplate {
  const pick = <T>(values: readonly T[]) => values[Math.floor(random.next() * values.length)] as T;
  return {
    namespace: pick(namespaces),
    name: name ?? `pod-${Math.floor(random.next() * 8)}`,
    role: random.next() < 0.85 ? pick(roles) : undefined,
    sessionName: random.next() < 0.2 ? pick(['nightly', 'hourly']) : undefined,
    externalId: random.next() < 0.2 ? pick(['tango', 'foxtrot']) : undefined,
    hostNetwork: random.next() < 0.1,
  };
}

/** What a namespace permits. */
export function drawPermitted(random: Random, arnPrefix: string): string | undefined {
  const draw = random.next();
  if (draw < 0.55) return '.*';
  if (draw < 0.7) return undefined;
  const kept = roles.filter(() => random.next() < 0.6);
  return `${arnPrefix}(${kept.join('|') || 'none'})`;
}
