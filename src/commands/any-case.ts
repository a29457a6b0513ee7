import type { Flag } from './flags.ts';

/** Takes the words of a choice as kube2iam compares them. */
export function anyCase<T extends string>(definition: Flag<T>): Flag<T> {
  const { parse } = definition;
  return parse === undefined ? definition : { ...definition, parse: (text) => parse(text.toLowerCase()) };
}
