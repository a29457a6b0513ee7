/** What became of reading a text that somebody else wrote. `problem` is for a person, starts in lower case, and needs no escaping. */
export type Parsed<T> =
  | { readonly kind: 'ok'; readonly value: T }
  | { readonly kind: 'invalid'; readonly problem: string };

export function ok<T>(value: T): Parsed<T> {
  return { kind: 'ok', value };
}

export function invalid(problem: string): { readonly kind: 'invalid'; readonly problem: string } {
  return { kind: 'invalid', problem };
}
