import { readFileSync, statSync } from 'node:fs';
import { messageOf, PodpassError } from '../base/errors.ts';

/** A file that names itself would go on for ever. */
const mostFiles = 100;
const mostBytes = 1024 * 1024;

/**
 * Puts the lines of a file in the place of `@file`, as kiam's command line does: each line an argument, lines that
 * begin with `#` left out. A line may name a file again. What follows `--` is left as it is.
 *
 * @throws PodpassError ERR_USAGE, ERR_FILE
 */
export function expandArgumentFiles(args: readonly string[]): readonly string[] {
  const expanded: string[] = [];
  const left = [...args].reverse();
  let files = 0;
  for (let arg = left.pop(); arg !== undefined; arg = left.pop()) {
    if (arg === '--') return [...expanded, arg, ...left.reverse()];
    if (!arg.startsWith('@')) {
      expanded.push(arg);
      continue;
    }
    files += 1;
    if (files > mostFiles)
      throw new PodpassError(
        'ERR_USAGE',
        `${arg}: more than ${mostFiles} files of arguments. Does one name itself?`,
      );
    left.push(...readArguments(arg).reverse());
  }
  return expanded;
}

function readArguments(arg: string): string[] {
  const path = arg.slice(1);
  try {
    const { size } = statSync(path);
    if (size > mostBytes) throw new Error('it is too long to hold arguments');
    const lines = readFileSync(path, 'utf8').split(/\r?\n/);
    if (lines.at(-1) === '') lines.pop();
    return lines.filter((line) => !line.startsWith('#'));
  } catch (cause) {
    throw new PodpassError(
      'ERR_FILE',
      `cannot read arguments from ${JSON.stringify(path)}: ${messageOf(cause)}. An argument that begins with @ names a file with one argument on each line.`,
      { cause },
    );
  }
}
