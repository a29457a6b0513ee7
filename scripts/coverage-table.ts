import { relative, sep } from 'node:path';

/** What is looked at of one file of the runner's coverage. */
export interface FileCoverage {
  readonly path: string;
  readonly totalLineCount: number;
  readonly coveredLineCount: number;
  readonly totalBranchCount: number;
  readonly coveredBranchCount: number;
}

const leastCovered = 10;

/** A line for each room of src, one for all, and the files with the most lines that no test ran. */
export function coverageTable(root: string, files: readonly FileCoverage[]): string {
  const rooms = new Map<string, FileCoverage[]>();
  for (const file of files) {
    const room = relative(root, file.path).split(sep).slice(0, -1).slice(0, 2).join('/');
    rooms.set(room, [...(rooms.get(room) ?? []), file]);
  }
  const rows = Array.from(rooms).sort(([one], [other]) => (one < other ? -1 : 1));
  const lines = [...rows, ['all', files] as const].map(([name, members]) => {
    const covered = share(members, 'coveredLineCount', 'totalLineCount');
    const branches = share(members, 'coveredBranchCount', 'totalBranchCount');
    return `  ${name.padEnd(24)} ${covered} of lines ${branches} of branches`;
  });
  const gaps = files
    .map((file) => ({
      path: relative(root, file.path),
      missing: file.totalLineCount - file.coveredLineCount,
    }))
    .filter(({ missing }) => missing > 0)
    .sort((one, other) => other.missing - one.missing)
    .slice(0, leastCovered)
    .map(({ path, missing }) => `  ${String(missing).padStart(5)} lines of ${path}`);
  const never = gaps.length > 0 ? ['', 'Never run:', ...gaps] : [];
  return ['Run by the tests:', ...lines, ...never, ''].join('\n');
}

type Count = Exclude<keyof FileCoverage, 'path'>;

function share(files: readonly FileCoverage[], part: Count, whole: Count): string {
  const sum = (count: Count) => files.reduce((total, file) => total + file[count], 0);
  const all = sum(whole);
  return `${(all === 0 ? 100 : (100 * sum(part)) / all).toFixed(1).padStart(5)} %`;
}
