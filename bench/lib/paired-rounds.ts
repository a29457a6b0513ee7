import { cpuSecondsOf } from './process-facts.ts';
import { median } from './statistics.ts';

/** What one load of one process came to. */
export interface Round {
  readonly perSecond: number;
  readonly p99: number;
  /** Of the loaded process, for each request, in microseconds. */
  readonly cpuMicros: number;
}

export interface Pair {
  readonly bare: Round;
  readonly own: Round;
}

interface Load {
  readonly requests: number;
  readonly perSecond: number;
  readonly p99: number;
}

export interface Contestant {
  readonly pid: number;
  readonly load: () => Promise<Load>;
}

export interface PairedRoundsOptions {
  readonly bare: Contestant;
  readonly own: Contestant;
  readonly rounds: number;
  readonly onPair: (pair: Pair) => void;
}

/**
 * Loads two processes in turn, so that whatever else the machine does hits both; each is first in every other round. One
 * round of each goes before, and does not count.
 */
export async function pairedRounds({ bare, own, rounds, onPair }: PairedRoundsOptions): Promise<Pair[]> {
  await bare.load();
  await own.load();
  const pairs: Pair[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const first = round % 2 === 1 ? await roundOf(own) : undefined;
    const floor = await roundOf(bare);
    const pair = { bare: floor, own: first ?? (await roundOf(own)) };
    pairs.push(pair);
    onPair(pair);
  }
  return pairs;
}

async function roundOf({ pid, load }: Contestant): Promise<Round> {
  const before = cpuSecondsOf(pid);
  const { requests, perSecond, p99 } = await load();
  return { perSecond, p99, cpuMicros: ((cpuSecondsOf(pid) - before) * 1e6) / requests };
}

/** The middle of the ratios of single rounds, in each of which both had the same machine. */
export function ratioOf(pairs: readonly Pair[], read: (round: Round) => number): number {
  return median(pairs.map(({ own, bare }) => read(own) / read(bare)));
}

/** Both medians, for a person: `agent 100431 requests/s, bare 108757 requests/s (rounds 0.91 to 0.95 ×)`. */
export function besideText(
  pairs: readonly Pair[],
  read: (round: Round) => number,
  { name, unit, digits }: { readonly name: string; readonly unit: string; readonly digits: number },
): string {
  const of = (who: 'bare' | 'own') => median(pairs.map((pair) => read(pair[who]))).toFixed(digits);
  const ratios = pairs.map(({ own, bare }) => read(own) / read(bare));
  const span = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)} ×`;
  return `${name} ${of('own')} ${unit}, bare ${of('bare')} ${unit} (${pairs.length} rounds, ${span})`;
}
