const decimal = /^[1-9]\d*$/;

/**
 * Which of two resource versions of one resource is newer: negative when `a` is older, 0 when they are the same,
 * positive when `a` is newer, `undefined` when that cannot be told.
 *
 * Kubernetes documents from 1.35 on that resource versions compare as integers (they always did on etcd). They exceed
 * 53 bits in theory, hence no number: of two decimals without leading zeros the longer is the greater. Anything else
 * is opaque, and only sameness is known of it.
 */
export function compareResourceVersions(a: string, b: string): number | undefined {
  if (a === b) return 0;
  if (!decimal.test(a) || !decimal.test(b)) return undefined;
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : 1;
}

/** Whether `a` says nothing that `b` did not already say. What cannot be compared counts as news. */
export function isNotNewer(a: string, b: string | undefined): boolean {
  if (b === undefined) return false;
  const order = compareResourceVersions(a, b);
  return order !== undefined && order <= 0;
}

/** The newer of two; the second where that cannot be told, because it arrived later. */
export function newerResourceVersion(known: string, arrived: string): string {
  const order = compareResourceVersions(known, arrived);
  return order !== undefined && order > 0 ? known : arrived;
}
