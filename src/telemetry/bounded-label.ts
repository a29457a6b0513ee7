/**
 * Values of a label that others choose, such as role ARNs in annotations: the first `most` as they are, and `other`
 * for all that come later. A series of Prometheus is never forgotten, so without a bound their number would only grow.
 */
export function createBoundedLabel(most: number): (value: string) => string {
  const known = new Set<string>();
  return (value) => {
    if (known.has(value)) return value;
    if (known.size >= most) return 'other';
    known.add(value);
    return value;
  };
}
