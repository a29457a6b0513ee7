import { globSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

/** The borders first: they take longest, and the small ones fill the gaps. */
const folders = ['test', 'src', 'scripts', 'bench', 'examples'];
const suffix = '.test.ts';
/** Not among all tests: each has a command of its own in package.json, because all together are to take minutes. */
const ownCommand = [
  'test/network',
  'test/faults',
  'test/end-to-end/kiam-agents.test.ts',
  'test/end-to-end/kiam-servers.test.ts',
  'test/end-to-end/kiam-wire.test.ts',
  'test/end-to-end/from-kiam.test.ts',
  'test/end-to-end/from-kube2iam.test.ts',
  'test/end-to-end/outages.test.ts',
  'test/end-to-end/agent-scope.test.ts',
  'test/end-to-end/real-api-server.test.ts',
  'test/end-to-end/sandbox-endings.test.ts',
  'test/demo.test.ts',
  'test/sandbox.test.ts',
];

/**
 * The test files that some paths mean: files as they are, folders with all that is below, globs.
 *
 * @returns whole paths, each once.
 * @throws Error for a path that means no test, so that a misspelt one is not a success.
 */
export function findTestFiles(root: string, paths: readonly string[]): string[] {
  const found = new Set<string>();
  if (paths.length === 0) {
    const apart = ownCommand.flatMap((path) => meantBy(root, path));
    for (const folder of folders) {
      for (const file of below(join(root, folder))) if (!apart.includes(file)) found.add(file);
    }
  }
  for (const path of paths) {
    const files = meantBy(root, path);
    if (files.length === 0) throw new Error(`${path} is no test file, and no folder or glob with one`);
    for (const file of files) found.add(file);
  }
  return [...found];
}

function meantBy(root: string, path: string): string[] {
  const whole = resolve(root, path);
  const stat = statSync(whole, { throwIfNoEntry: false });
  if (stat?.isDirectory()) return below(whole);
  if (stat) return whole.endsWith(suffix) ? [whole] : [];
  return globSync(path, { cwd: root })
    .map((match) => resolve(root, match))
    .filter((match) => match.endsWith(suffix) && !relative(root, match).includes('node_modules'))
    .sort();
}

function below(folder: string): string[] {
  return globSync(`**/*${suffix}`, { cwd: folder, exclude: (path) => path.includes('node_modules') })
    .map((match) => join(folder, match))
    .sort();
}
