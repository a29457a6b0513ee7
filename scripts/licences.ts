import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The licences of what a build contains, as most of them ask to go with every copy.
 *
 * @param packages folders of packages: `/project/node_modules/pino`.
 * @throws Error for a package that neither names a licence nor brings the text of one.
 */
export function licenceText(packages: readonly string[]): string {
  return packages.map(licenceOf).join('\n');
}

function licenceOf(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const [file] = globSync('{LICENSE,LICENCE,License,license,COPYING}*', { cwd: folder }).sort();
  if (typeof license !== 'string' && file === undefined)
    throw new Error(`${name} ${version} has no licence: see whether it may be shipped`);
  const text = file === undefined ? `Licence: ${license}` : readFileSync(join(folder, file), 'utf8').trim();
  return `${'='.repeat(80)}\n${name} ${version} (${license ?? 'see below'})\n\n${text}\n`;
}
