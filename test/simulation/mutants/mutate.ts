import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/** A protection of podpass that is switched off, by a change of its source text. */
export interface Mutant {
  readonly name: string;
  /** What is lost, for the table. */
  readonly what: string;
  /** From the root of the project. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

const root = resolve(import.meta.dirname, '../../..');

/**
 * The text of a file with the protection switched off.
 *
 * @throws Error where the text to replace is not there exactly once: the mutant is out of date.
 */
export function mutatedText({ name, file, find, replace }: Mutant): string {
  const text = readFileSync(join(root, file), 'utf8');
  const parts = text.split(find);
  if (parts.length !== 2)
    throw new Error(
      `mutant ${name}: ${file} has the text to replace ${parts.length - 1} times. Write it anew after the code.`,
    );
  return parts.join(replace);
}

/** Has the files of mutants loaded as they are without their protections. To be called before they are loaded. */
export function mutate(mutants: readonly Mutant[]): void {
  const texts = new Map(
    mutants.map((mutant) => [pathToFileURL(join(root, mutant.file)).href, mutatedText(mutant)]),
  );
  registerHooks({
    load(url, context, nextLoad) {
      const source = texts.get(url);
      if (source === undefined) return nextLoad(url, context);
      return { format: 'module-typescript', source, shortCircuit: true };
    },
  });
}
