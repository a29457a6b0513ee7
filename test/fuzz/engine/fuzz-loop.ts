import type { Random } from '../../../src/base/random.ts';
import { bytesOf, type FuzzTarget, type OpenTarget } from '../fuzz-target.ts';
import { createCoverage } from './coverage.ts';
import type { Feedback } from './feedback.ts';
import { createMutate, type Parent } from './mutate.ts';
import { createRunInput, type Failure } from './run-input.ts';

export interface FuzzLoopOptions {
  readonly target: FuzzTarget;
  readonly open: OpenTarget;
  /** What the instrumented code writes to. Without instrumented code it stays empty, and mutation is blind. */
  readonly feedback: Feedback;
  readonly random: Random;
  /** Inputs of earlier runs, beside the target's seeds. */
  readonly corpus: readonly Uint8Array[];
  /** Whether there is time left. */
  readonly goOn: () => boolean;
  readonly mostExecutions?: number;
  /** Told of each input before it is run, so that somebody else knows what hangs. */
  readonly onInput?: (input: Uint8Array) => void;
}

export interface FuzzStatistics {
  readonly executions: number;
  /** Points of the source that were reached, of those that were loaded. */
  readonly reached: number;
  readonly points: number;
}

export interface FuzzOutcome {
  readonly statistics: FuzzStatistics;
  /** Inputs that reached what those before them did not, in order. */
  readonly kept: readonly Uint8Array[];
  /** There was no time for all that it began with. */
  readonly cutShort: boolean;
  /** Of those, the few that reach all; only where that was asked for. */
  readonly distilled?: readonly Uint8Array[];
  /** The first input for which a property did not hold. */
  readonly failure?: Failure;
}

/**
 * The loop: takes an input that was kept, changes it a little, runs it, and keeps it when it reached something new.
 * Ends with the first finding, or when there is no time left. The same seed and corpus give the same inputs.
 */
export async function fuzzLoop(options: FuzzLoopOptions): Promise<FuzzOutcome> {
  const { target, feedback, random, goOn, mostExecutions = Number.POSITIVE_INFINITY } = options;
  const coverage = createCoverage(feedback);
  const runInput = createRunInput(target, options.open, options.onInput);
  const kept: Parent[] = [];
  let executions = 0;
  let failure: Failure | undefined;
  let cutShort = false;

  /** Runs an input, and keeps it if it reached something new. */
  async function attempt(bytes: Uint8Array): Promise<void> {
    executions += 1;
    failure = await runInput(bytes);
    if (failure || coverage.take() === 0) return;
    feedback.comparing = true;
    feedback.comparisons.length = 0;
    executions += 1;
    failure = await runInput(bytes);
    feedback.comparing = false;
    coverage.take();
    kept.push({ bytes, comparisons: [...feedback.comparisons] });
  }

  // What loading and opening passed is nobody's merit.
  feedback.counters.fill(0);
  const begun = [...target.seeds.map(bytesOf), ...options.corpus];
  for (const bytes of begun) {
    cutShort = executions > 0 && !goOn();
    if (failure || cutShort) break;
    await attempt(bytes);
  }
  if (kept.length === 0) kept.push({ bytes: begun[0] ?? new Uint8Array(), comparisons: [] });

  const words = [...feedback.literals, ...(target.dictionary ?? [])].map((word) => Buffer.from(word));
  const mutate = createMutate({ random, maxBytes: target.maxBytes ?? 1_024, words });
  const nothing: Parent = { bytes: new Uint8Array(), comparisons: [] };
  /** Half of the time one of the latest: what they reached has not been looked around in yet. The shorter of two. */
  const choose = (): Parent => {
    const from = random.next() < 0.5 ? Math.floor(kept.length * 0.75) : 0;
    const one = () => kept[from + Math.floor(random.next() * (kept.length - from))] ?? nothing;
    const [first, second] = [one(), one()];
    return first.bytes.length <= second.bytes.length ? first : second;
  };
  while (!failure && executions < mostExecutions && goOn()) {
    await attempt(mutate(choose(), choose().bytes));
  }

  return {
    statistics: { executions, reached: coverage.reached, points: feedback.points },
    kept: kept.map(({ bytes }) => bytes),
    cutShort,
    ...(failure && { failure }),
  };
}
