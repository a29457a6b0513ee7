/** How many places in the source can be told apart. All of src has some 10,000. */
export const mostPoints = 65_536;
/** Pairs of texts that are kept of one execution. */
const mostComparisons = 64;
/** Longer texts are no token that an input could be given. */
const longestOperand = 64;

/** Two texts that were compared and differed. */
export type Comparison = readonly [string, string];

/** What instrumented code writes while it runs, and what it said of itself when it was loaded. */
export interface Feedback {
  /** How often each point was passed. */
  readonly counters: Uint32Array;
  /** Stands for `===`: notes texts that differ while `comparing`. */
  same(a: unknown, b: unknown): boolean;
  /** Hands out `count` points for a file; returns the first. */
  reserve(file: string, count: number): number;
  /** Literals of the source, which are words of the field. */
  readonly literals: Set<string>;
  readonly points: number;
  /** The file of each reservation, by its first point. */
  readonly files: ReadonlyMap<number, string>;
  comparing: boolean;
  readonly comparisons: Comparison[];
}

/** Where instrumented code finds it: code of another thread has its own. */
export const feedbackKey = 'podpassFuzzFeedback';

export function createFeedback(): Feedback {
  const counters = new Uint32Array(mostPoints);
  const files = new Map<number, string>();
  let points = 0;
  const feedback: Feedback = {
    counters,
    literals: new Set(),
    files,
    comparing: false,
    comparisons: [],
    get points() {
      return points;
    },
    reserve(file, count) {
      const first = points;
      if (first + count > mostPoints) throw new Error(`more than ${mostPoints} points: raise mostPoints`);
      points += count;
      files.set(first, file);
      return first;
    },
    same(a, b) {
      if (
        feedback.comparing &&
        typeof a === 'string' &&
        typeof b === 'string' &&
        a !== b &&
        a.length <= longestOperand &&
        b.length <= longestOperand &&
        feedback.comparisons.length < mostComparisons
      ) {
        feedback.comparisons.push([a, b]);
      }
      return a === b;
    },
  };
  return feedback;
}
