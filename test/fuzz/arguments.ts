import { parseArgs } from 'node:util';

export interface FuzzArguments {
  /** Names of targets; none means all. */
  readonly targets: readonly string[];
  /** For all targets together. */
  readonly seconds: number;
  /** Targets at a time. */
  readonly jobs: number;
  /** For each target. */
  readonly executions: number;
  /** Absent: another one each time. */
  readonly seed?: number;
  /** Files to replay instead. */
  readonly files: readonly string[];
  readonly distil: boolean;
  readonly list: boolean;
  readonly help: boolean;
}

export const fuzzUsage = `usage: npm run fuzz [-- OPTIONS] [-- --target NAME FILE...]

Feeds each target inputs that are made from those kept before, by what of the source they reach. Ends with status 1
when a property did not hold; the input is in .cache/fuzz/found then, and the line that replays it is printed.

  --seconds N      for all targets together (default 60)
  --jobs N         targets at a time (default 1)
  --target NAME    only this one; may be repeated
  --executions N   at most so many inputs for each target
  --seed N         the same inputs again, as far as the corpus is the same
  --distil         write the few inputs that reach all that was reached to test/fuzz/corpus
  --list           the targets
  --help

FILE...            replays these inputs of the one target
`;

/** @throws Error saying what is wrong with the command line. */
export function parseFuzzArguments(argv: readonly string[], known: readonly string[]): FuzzArguments {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      seconds: { type: 'string' },
      jobs: { type: 'string' },
      target: { type: 'string', multiple: true, default: [] },
      executions: { type: 'string' },
      seed: { type: 'string' },
      distil: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  for (const name of values.target) {
    if (!known.includes(name)) throw new Error(`there is no target ${JSON.stringify(name)}: see --list`);
  }
  if (positionals.length > 0 && values.target.length !== 1) {
    throw new Error('files are replayed on one target: give --target NAME');
  }
  return {
    targets: values.target,
    seconds: number('seconds', values.seconds ?? '60', 86_400),
    jobs: Math.max(1, number('jobs', values.jobs ?? '1', 64)),
    executions:
      values.executions === undefined
        ? Number.POSITIVE_INFINITY
        : number('executions', values.executions, 1_000_000_000),
    files: positionals,
    distil: values.distil,
    list: values.list,
    help: values.help,
    ...(values.seed !== undefined && { seed: number('seed', values.seed, 4_294_967_295) }),
  };
}

function number(name: string, text: string, most: number): number {
  if (/^\d{1,10}$/.test(text) && Number(text) <= most) return Number(text);
  throw new Error(`--${name} takes a whole number up to ${most}, not ${JSON.stringify(text)}`);
}
