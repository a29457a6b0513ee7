/** Something real that tests at a border use, and that does not come with `npm ci`. */
export interface Part {
  readonly name: string;
  /** What a person should know it is: `Kubernetes 1.35.4`. */
  readonly version: string;
  /** Looks for it without running anything. */
  find(): FoundPart;
  /** Where it comes from. Parts of one source are made together. */
  readonly source: PartSource;
}

export type FoundPart =
  /** `path` is the command to run. */
  | { readonly kind: 'found'; readonly path: string }
  /** `reason` says what is missing and how to get it. */
  | { readonly kind: 'missing'; readonly reason: string };

export type PartSource =
  | {
      readonly kind: 'made';
      readonly name: string;
      /**
       * Makes all parts of this source; does nothing when they are there.
       *
       * @throws Error whose message says why it cannot be had.
       */
      make(signal: AbortSignal): Promise<void>;
    }
  /** The machine's own package manager brings it. */
  | { readonly kind: 'system' };
