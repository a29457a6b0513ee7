/** What is thrown when a property does not hold; anything else that a target throws counts the same. */
export class BrokenProperty extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BrokenProperty';
  }
}

/** Throws unless a property holds. `what` is a sentence of what was found instead. */
export function holds(condition: boolean, what: string | (() => string)): asserts condition {
  if (!condition) throw new BrokenProperty(typeof what === 'string' ? what : what());
}

/** A target that is ready for inputs. */
export interface OpenTarget {
  /** Feeds one input. Throws, or rejects, when a property does not hold for it. */
  run(input: Uint8Array): void | Promise<void>;
  close?(): Promise<void> | void;
}

/** One border of podpass, and what must hold of it for any input. */
export interface FuzzTarget {
  /** Also the name of its file in `targets/` and of its folder in `corpus/`. */
  readonly name: string;
  /** What is fed to what, in a line. */
  readonly about: string;
  /** Inputs to begin with. Text stands for its UTF-8. */
  readonly seeds: readonly (string | Uint8Array)[];
  /** Words of the field, put into inputs as they are. Literals of the source that is reached are added by themselves. */
  readonly dictionary?: readonly string[];
  /** Longer inputs are not made. Default 1,024 bytes. */
  readonly maxBytes?: number;
  /** An input that takes more of the processor, three times in a row, is a finding. Default 250 ms. */
  readonly slowMillis?: number;
  open(): Promise<OpenTarget> | OpenTarget;
}

/** The bytes that a seed stands for. */
export function bytesOf(seed: string | Uint8Array): Uint8Array {
  return typeof seed === 'string' ? Buffer.from(seed) : seed;
}
