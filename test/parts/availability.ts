import { partNamed } from './catalogue.ts';

/** Set to 1 where everything must be there, as in CI: then a suite fails that would else be skipped. */
export const requireVariable = 'PODPASS_REQUIRE_PARTS';

/**
 * Options for a `node:test` suite that needs some parts: it is skipped, with the reason and how to get the part, on
 * a machine that lacks one.
 *
 * @example
 * ```ts
 * describe('the watch against a real API server', needs('kube-apiserver', 'etcd'), () => { … });
 * ```
 * @throws Error with the reason where PODPASS_REQUIRE_PARTS=1 is set, and for a name that is no part.
 */
export function needs(...names: readonly string[]): { readonly skip: false | string } {
  const missing = names.map((name) => partNamed(name).find()).filter((found) => found.kind === 'missing');
  if (missing.length === 0) return { skip: false };
  const reason = missing.map((found) => found.reason).join('; ');
  if (process.env[requireVariable] === '1')
    throw new Error(`${reason} (${requireVariable}=1 forbids a skip)`);
  return { skip: reason };
}
