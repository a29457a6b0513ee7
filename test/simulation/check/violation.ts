/** A promise that was not kept. */
export interface Violation {
  /** Which one: `wrong-credentials`. */
  readonly rule: string;
  readonly at: number;
  /** What happened, to whom. */
  readonly text: string;
}
