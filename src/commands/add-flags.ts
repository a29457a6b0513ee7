import { type Command, Option } from 'commander';
import type { Flag, FlagTable } from './flags.ts';

/**
 * Adds flags to a command. A boolean gets its `--no-` form too, as kiam's have. Commander only splits the command line
 * and writes the help: values and variables are read by `readFlags`, which has one kind of message for both.
 */
export function addFlags(command: Command, table: FlagTable): Command {
  const definitions = Object.values(table);
  const shown = definitions.filter((definition) => definition.retired === undefined);
  for (const definition of shown)
    for (const option of createOptions(definition, definition.name)) command.addOption(option);
  for (const definition of definitions) {
    const names = [
      ...(definition.retired === undefined ? [] : [definition.name]),
      ...(definition.renamed ?? []),
    ];
    for (const option of names.flatMap((name) => createOptions(definition, name)))
      command.addOption(option.hideHelp());
  }
  return command;
}

function createOptions(definition: Flag<unknown>, name: string): Option[] {
  const { placeholder, group = 'Options' } = definition;
  if (!placeholder) {
    const negation = new Option(`--no-${name}`).helpGroup(`${group}:`).hideHelp();
    return [new Option(`--${name}`, describe(definition)).helpGroup(`${group}:`), negation];
  }
  const option = new Option(`--${name} <${placeholder}>`, describe(definition)).argParser(collect);
  if (definition.choices) option.argChoices = [...definition.choices];
  return [option.helpGroup(`${group}:`)];
}

/** Every value that was given, in order: which of them counts is not for the parser to say. */
function collect(text: string, earlier: readonly string[] | undefined): readonly string[] {
  return [...(earlier ?? []), text];
}

function describe(definition: Flag<unknown>): string {
  const { help, required, alsoEnv } = definition;
  const shown =
    definition.shownDefault ?? (definition.default === undefined ? '' : String(definition.default));
  const isPlain = shown === '' || (!definition.placeholder && definition.default === false);
  const notes = [
    required ? 'required' : '',
    isPlain ? '' : `default: ${shown}`,
    alsoEnv === undefined ? '' : `also from ${alsoEnv}`,
  ].filter((note) => note !== '');
  return notes.length === 0 ? help : `${help} (${notes.join('; ')})`;
}
