import { type Command, InvalidArgumentError, Option } from 'commander';
import { formatDuration, parseDuration } from '../base/duration.ts';

/**
 * One flag of a command. Commands keep theirs in tables, from which come the parser, `--help`, the environment
 * variables and docs/reference/flags.md.
 */
export interface Flag<T> {
  /** Without dashes: `session-duration`. */
  readonly name: string;
  /** What stands for the value in help: `DURATION`. None for a boolean. */
  readonly placeholder?: string;
  readonly help: string;
  readonly default?: T;
  /** The default as help shows it. */
  readonly shownDefault?: string;
  readonly required?: boolean;
  readonly choices?: readonly string[];
  /** kiam reads this variable too (`HOST_IP`); ours is always `PODPASS_` and the name in capitals. */
  readonly alsoEnv?: string;
  /** May be given several times, or once with commas. */
  readonly repeated?: boolean;
  /** @throws InvalidArgumentError */
  readonly parse?: (text: string) => T;
}

/** The typed values of a table of flags: its keys are the flags' names in camel case. */
export type FlagValues<F> = { readonly [K in keyof F]: F[K] extends Flag<infer T> ? T : never };

type Common = { readonly name: string; readonly help: string; readonly alsoEnv?: string };

/** Flags by the type of their value. Those without a default are optional, or required where that is said. */
export const flag = {
  boolean: (options: Common & { readonly default?: boolean }): Flag<boolean> => ({
    default: false,
    ...options,
  }),

  text: <D extends string | undefined = undefined>(
    options: Common & { readonly placeholder: string; readonly default?: D },
  ): Flag<string | D> => ({ ...options, parse: (text) => text }),

  requiredText: (options: Common & { readonly placeholder: string }): Flag<string> => ({
    ...options,
    required: true,
    parse: (text) => text,
  }),

  /** In Go's syntax, read into milliseconds. */
  duration: (options: Common & { readonly default: number; readonly min?: number }): Flag<number> => ({
    ...options,
    placeholder: 'DURATION',
    shownDefault: formatDuration(options.default),
    parse(text) {
      const millis = parseDuration(text);
      if (millis === undefined)
        throw new InvalidArgumentError(`"${text}" is not a duration such as 10s, 500ms or 1h30m.`);
      if (millis < (options.min ?? 0)) {
        throw new InvalidArgumentError(`it must be at least ${formatDuration(options.min ?? 0)}.`);
      }
      return millis;
    },
  }),

  integer: (
    options: Common & { readonly default: number; readonly min: number; readonly max: number },
  ): Flag<number> => ({
    ...options,
    placeholder: 'NUMBER',
    parse(text) {
      const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
      if (number >= options.min && number <= options.max) return number;
      throw new InvalidArgumentError(`it must be a whole number from ${options.min} to ${options.max}.`);
    },
  }),

  choice: <C extends string>(
    options: Common & { readonly choices: readonly C[]; readonly default: C },
  ): Flag<C> => ({
    ...options,
    placeholder: 'CHOICE',
    parse(text) {
      const chosen = options.choices.find((choice) => choice === text);
      if (chosen !== undefined) return chosen;
      throw new InvalidArgumentError(`it must be one of ${options.choices.join(', ')}.`);
    },
  }),

  /** Values with commas between them, or the flag several times. */
  list: (
    options: Common & { readonly placeholder: string; readonly default: readonly string[] },
  ): Flag<readonly string[]> => ({
    ...options,
    repeated: true,
    shownDefault: options.default.join(',') || 'none',
    parse: (text) => text.split(',').filter((part) => part !== ''),
  }),
};

/** A table of flags. The value types differ, which is what `any` would be for: `never` takes its place in `parse`. */
export type FlagTable = Readonly<Record<string, Flag<unknown>>>;

/** The environment variable of a flag: `--json-log` is also `PODPASS_JSON_LOG`. */
export function environmentName(name: string): string {
  return `PODPASS_${name.toUpperCase().replaceAll('-', '_')}`;
}

/** Adds flags to a command. A boolean gets its `--no-` form too, as kiam's have. */
export function addFlags(command: Command, table: FlagTable): Command {
  for (const definition of Object.values(table)) {
    for (const option of createOptions(definition)) command.addOption(option);
  }
  return command;
}

/** Where a flag's value comes from when the command line does not give it: our own variable wins over kiam's. */
function environmentOf({ name, alsoEnv }: Flag<unknown>): string {
  const own = environmentName(name);
  return alsoEnv !== undefined && process.env[own] === undefined ? alsoEnv : own;
}

function createOptions(definition: Flag<unknown>): Option[] {
  const { name, placeholder, help, repeated, parse } = definition;
  const environment = environmentOf(definition);
  if (!placeholder) {
    const negation = new Option(`--no-${name}`).hideHelp();
    return [new Option(`--${name}`, help).default(definition.default).env(environment), negation];
  }
  const option = new Option(`--${name} <${placeholder}>`, help).env(environment);
  if (definition.default !== undefined) option.default(definition.default, definition.shownDefault);
  if (definition.required) option.makeOptionMandatory();
  if (parse) {
    let given: unknown[] = [];
    option.argParser((text: string) => {
      if (!repeated) return parse(text);
      given = [...given, ...(parse(text) as unknown[])];
      return given;
    });
  }
  return [option];
}

/**
 * The values of a table's flags after the command line has been parsed. A flag that was given to the command above
 * counts too: `podpass sandbox --manifests DIR exec …` is what it looks like.
 */
export function readFlags<F extends FlagTable>(command: Command, table: F): FlagValues<F> {
  const values = Object.keys(table).map((key) => [key, givenTo(command, key)]);
  return Object.fromEntries(values) as FlagValues<F>;
}

function givenTo(command: Command, key: string): unknown {
  for (let at: Command | null = command; at; at = at.parent) {
    const source = at.getOptionValueSource(key);
    if (source !== undefined && source !== 'default') return at.getOptionValue(key);
  }
  return command.getOptionValue(key);
}
