/** How something was measured to grow with one thing, everything else left alone. */
export interface Series {
  /** What grew: `pods of the cluster`. */
  readonly by: string;
  /** How many there were of everything else. */
  readonly fixed: Readonly<Record<string, number>>;
  /** What it came to, by how many there were. */
  readonly points: readonly Point[];
}

export interface Point {
  readonly n: number;
  readonly values: Readonly<Record<string, number>>;
}

export interface Line {
  /** At none. */
  readonly base: number;
  /** For each one more. */
  readonly slope: number;
}

/** The straight line with the least squares through the points. @throws Error of fewer than two different points */
export function lineThrough(points: readonly (readonly [n: number, value: number])[]): Line {
  const count = points.length;
  const meanN = points.reduce((sum, [n]) => sum + n, 0) / count;
  const mean = points.reduce((sum, [, value]) => sum + value, 0) / count;
  const spread = points.reduce((sum, [n]) => sum + (n - meanN) ** 2, 0);
  if (!(spread > 0)) throw new Error('a slope needs two points that differ');
  const slope = points.reduce((sum, [n, value]) => sum + (n - meanN) * (value - mean), 0) / spread;
  return { base: mean - slope * meanN, slope };
}

/** The line of one value of a series, by its points that have it. */
export function lineOf({ by, points }: Series, name: string): Line {
  const known = points.flatMap(({ n, values }): [number, number][] => {
    const value = values[name];
    return value === undefined ? [] : [[n, value]];
  });
  try {
    return lineThrough(known);
  } catch (cause) {
    throw new Error(`${name} by ${by} was measured at ${known.length} points`, { cause });
  }
}
