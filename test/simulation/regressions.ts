/**
 * Seeds that show faults which podpass once had. Each keeps every promise now, and breaks one when the protection that
 * mended it is switched off: `npm run simulate -- --mutants` runs them so first.
 */
export const regressions: readonly { readonly seed: number; readonly mutant: string }[] = [];
