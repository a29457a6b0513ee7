import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const projectRoot = resolve(import.meta.dirname, '../..');

/** What tests download or compile is kept here, outside of what git sees. */
export const partsCache = join(projectRoot, '.cache', 'parts');

/** A short name for the content of some files: a folder named after it is never out of date. */
export function fingerprint(paths: readonly string[]): string {
  const hash = createHash('sha256');
  for (const path of paths) hash.update(readFileSync(path)).update('\0');
  return hash.digest('hex').slice(0, 12);
}
