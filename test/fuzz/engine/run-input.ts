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
/** A machine with other work makes one run slow, and not three in a row. */
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

  async function timed(input: Uint8Array): Promise<number> {
    const start = performance.now();
    const pending = open.run(input);
    if (pending) await pending;
    return performance.now() - start;
  }

  return async (input) => {
    onInput(input);
    try {
      let fastest = await timed(input);
      for (let run = 1; run < slowRuns && fastest > bound; run++) {
        fastest = Math.min(fastest, await timed(input));
      }
      if (fastest <= bound) return undefined;
      throw new BrokenProperty(`took ${Math.round(fastest)} ms each time, more than ${bound}`);
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
