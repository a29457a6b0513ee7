import { BrokenProperty, type FuzzTarget, type OpenTarget } from '../fuzz-target.ts';

/** An input for which a property did not hold. */
export interface Failure {
  readonly input: Uint8Array;
  /** One line. */
  readonly what: string;
  /** Where, for a person. */
  readonly stack: string;
}

const defaultSlowMillis = 250;
/** The first may compile, or collect garbage; not three in a row. */
const slowRuns = 3;

export type RunInput = (input: Uint8Array) => Promise<Failure | undefined>;

/** Runs one input and watches its time. `lenience` multiplies the time that it may take. */
export function createRunInput(
  { slowMillis = defaultSlowMillis }: Pick<FuzzTarget, 'slowMillis'>,
  open: OpenTarget,
  onInput: (input: Uint8Array) => void = () => {},
  lenience = 1,
): RunInput {
  const bound = slowMillis * lenience;

  /** What this thread had of the processor for it, in milliseconds: what else the machine does must not count. */
  async function timed(input: Uint8Array): Promise<number> {
    const before = process.threadCpuUsage();
    const pending = open.run(input);
    if (pending) await pending;
    const { user, system } = process.threadCpuUsage(before);
    return (user + system) / 1_000;
  }

  return async (input) => {
    onInput(input);
    try {
      let fastest = await timed(input);
      for (let run = 1; run < slowRuns && fastest > bound; run++) {
        fastest = Math.min(fastest, await timed(input));
      }
      if (fastest <= bound) return undefined;
      throw new BrokenProperty(
        `takes ${Math.round(fastest)} ms of the processor each time, more than ${bound}`,
      );
    } catch (thrown) {
      return { input, ...describe(thrown) };
    }
  };
}

function describe(thrown: unknown): { what: string; stack: string } {
  if (!(thrown instanceof Error)) return { what: String(thrown), stack: '' };
  const [line = ''] = thrown.message.split('\n', 1);
  return { what: `${thrown.name}: ${line}`, stack: thrown.stack ?? '' };
}
