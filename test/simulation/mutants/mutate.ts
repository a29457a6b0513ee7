import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/** A change of the text of one file. */
export interface Edit {
  /** From the root of the project. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** A protection of podpass that is switched off, by a change of its source text. */
export interface Mutant extends Edit {
  readonly name: string;
  /** What is lost, for the table. */
  readonly what: string;
  /** Where more than one lock has to be opened. */
  readonly also?: readonly Edit[];
}

const root = resolve(import.meta.dirname, '../../..');

/**
 * The files of a mutant as they are with the protection switched off, by their paths from the root of the project.
 *
 * @throws Error where a text to replace is not there exactly once: the mutant is out of date.
 */
export function mutatedTexts({ name, also = [], ...first }: Mutant): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const { file, find, replace } of [first, ...also]) {
    const text = texts.get(file) ?? readFileSync(join(root, file), 'utf8');
    const parts = text.split(find);
    if (parts.length !== 2)
      throw new Error(
        `mutant ${name}: ${file} has the text to replace ${parts.length - 1} times. Write it anew after the code.`,
      );
    texts.set(file, parts.join(replace));
  }
  return texts;
}

/** Has the files of a mutant loaded as they are without its protection. To be called before they are loaded. */
export function mutate(mutant: Mutant): void {
  const texts = new Map(
    [...mutatedTexts(mutant)].map(([file, text]) => [pathToFileURL(join(root, file)).href, text]),
  );
  registerHooks({
    load(url, context, nextLoad) {
      const source = texts.get(url);
      if (source === undefined) return nextLoad(url, context);
      return { format: 'module-typescript', source, shortCircuit: true };
    },
  });
}

/** @throws Error naming the mutants there are, for a name that is none. */
export function mutantNamed(mutants: readonly Mutant[], name: string): Mutant {
  const mutant = mutants.find((one) => one.name === name);
  if (mutant) return mutant;
  throw new Error(`there is no mutant ${name}; there are ${mutants.map((one) => one.name).join(', ')}`);
}
