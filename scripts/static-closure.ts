import type { Metafile } from 'esbuild';

/**
 * Every source file that is evaluated as soon as `start` is: what it imports and requires, and so on, but not what
 * is behind an `import()`.
 *
 * @param start the end of the path of a source file: `src/main.ts`.
 * @throws Error when no source file of the build is called so.
 */
export function staticClosure(metafile: Metafile, start: string): ReadonlySet<string> {
  const first = Object.keys(metafile.inputs).find((path) => path === start || path.endsWith(`/${start}`));
  if (first === undefined) throw new Error(`${start} is not part of the build`);
  const reached = new Set<string>([first]);
  // A set also gives what is added while it is gone through.
  for (const path of reached) {
    for (const { path: imported, kind, external } of metafile.inputs[path]?.imports ?? [])
      if (kind !== 'dynamic-import' && external !== true) reached.add(imported);
  }
  return reached;
}

/** The npm package that a source file belongs to; `undefined` for our own. */
export function packageOf(path: string): string | undefined {
  return /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1];
}

/** The packages of some files, by name. */
export function packagesOf(paths: Iterable<string>): string[] {
  const names = Array.from(paths, packageOf).filter((name) => name !== undefined);
  return [...new Set(names)].sort();
}
