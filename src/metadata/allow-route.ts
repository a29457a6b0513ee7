import { messageOf, PodpassError } from '../base/errors.ts';

/** Which other metadata pods may read. */
export interface AllowRoute {
  /** The expression, for messages. */
  readonly expression: string;
  /** `path` is decoded and cleaned, and begins with a slash. */
  allows(path: string): boolean;
}

/** kiam's default, which no path can match. */
const nothing = '^$';

export const allowNothing: AllowRoute = { expression: nothing, allows: () => false };

/**
 * Compiles `--allow-route-regexp`. As in kiam the syntax is RE2's and the expression may match anywhere in the path:
 * write `^` and `$` to bind it. Empty means that nothing is allowed; then the engine, 2 MB of memory, is not loaded.
 *
 * @throws PodpassError ERR_USAGE if it is not a regular expression of RE2.
 */
export async function compileAllowRoute(expression: string): Promise<AllowRoute> {
  if (expression === '' || expression === nothing) return allowNothing;
  const { RE2JS } = await import('re2js');
  try {
    const pattern = RE2JS.compile(expression);
    return { expression, allows: (path) => pattern.test(path) };
  } catch (cause) {
    throw new PodpassError(
      'ERR_USAGE',
      `--allow-route-regexp ${JSON.stringify(expression)} is not a regular expression of RE2: ${messageOf(cause)}.`,
      { cause },
    );
  }
}
