import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { FoundMutant } from '../search-mutant.ts';
import { mutants } from './mutants.ts';

const file = join(import.meta.dirname, 'known-seeds.json');
const page = join(resolve(import.meta.dirname, '../../..'), 'docs/simulation.md');
const [begin, end] = ['<!-- mutants: written by npm run simulate -- --mutants --write -->', '<!-- end -->'];

/** The first seed that shows each mutant, as the last search found them. */
export function readKnownSeeds(): ReadonlyMap<string, FoundMutant> {
  return new Map(Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Record<string, FoundMutant>));
}

/** Writes them down, for later runs and for the page. */
export function writeKnownSeeds(found: ReadonlyMap<string, FoundMutant>): void {
  writeFileSync(file, `${JSON.stringify(Object.fromEntries(found), undefined, 2)}\n`);
  const text = readFileSync(page, 'utf8');
  const [before = '', rest = ''] = text.split(begin);
  const after = rest.slice(rest.indexOf(end) + end.length);
  writeFileSync(page, `${before}${begin}\n\n${renderTable(found)}\n${end}${after}`);
}

/** What the page has to say between its marks. */
export function renderTable(found: ReadonlyMap<string, FoundMutant>): string {
  const rows = mutants.map(({ name, what, file: source }) => {
    const known = found.get(name);
    const seen = known ? `${known.seed} | \`${known.rule}\`` : 'not found | ';
    return `| \`${name}\` | ${what} | \`${source}\` | ${seen} |\n`;
  });
  return `| mutant | what is switched off | in | seeds until it is found | as |\n|---|---|---|---|---|\n${rows.join('')}`;
}

/** The table as it stands in the page. */
export function tableOfPage(): string {
  const text = readFileSync(page, 'utf8');
  return text.slice(text.indexOf(begin) + begin.length, text.indexOf(end)).trim();
}
