import { globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * How two folders differ.
 *
 * @returns a line for each file that is only in one of them or is another; none when they are the same.
 */
export function compareFolders(expected: string, actual: string): string[] {
  const wanted = contents(expected);
  const found = contents(actual);
  const lines: string[] = [];
  for (const [path, content] of wanted) {
    const other = found.get(path);
    if (other === undefined) lines.push(`${path} is missing`);
    else if (!other.equals(content)) lines.push(`${path} is another`);
  }
  for (const path of found.keys()) if (!wanted.has(path)) lines.push(`${path} should not be there`);
  return lines;
}

function contents(folder: string): Map<string, Buffer> {
  const paths = globSync('**/*', { cwd: folder }).filter((path) => statSync(join(folder, path)).isFile());
  return new Map(paths.sort().map((path) => [path, readFileSync(join(folder, path))]));
}
