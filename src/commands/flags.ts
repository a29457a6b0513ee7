import { InvalidArgumentError } from 'commander';
import { formatDuration, parseDuration } from '../base/duration.ts';

/**
 * One flag of a command. Commands keep theirs in tables, from which come the parser, `--help`, the environment
 * variables, shell completion and docs/reference/flags.md.
 */
export interface Flag<T> {
  /** Without dashes: `session-duration`. */
  readonly name: string;
  /** What stands for the value in help: `DURATION`. None for a boolean. */
  readonly placeholder?: string;
  readonly help: string;
  /** The heading in help that it stands under. */
  readonly group?: string;
  readonly default?: T;
  /** The default as help shows it. */
  readonly shownDefault?: string;
  readonly required?: boolean;
  readonly choices?: readonly string[];
  /** kiam reads this variable too (`HOST_IP`); ours is always `PODPASS_` and the name in capitals. */
  readonly alsoEnv?: string;
  /** May be given several times, or once with commas. */
  readonly repeated?: boolean;
  /** Names that older versions of kiam had for it. They act, and the process says once that they are old. */
  readonly renamed?: readonly string[];
  /** Why a flag of kiam's has no effect here. It is taken, its value is checked, and the process says so once. */
  readonly retired?: string;
  /** @throws InvalidArgumentError whose message goes on after the name and the value: `it must be …`. */
  readonly parse?: (text: string) => T;
  /** The same for its old names, where they took something else. */
  readonly parseRenamed?: (text: string) => T;
}

/** The typed values of a table of flags: its keys are the flags' names in camel case. Retired flags have none. */
export type FlagValues<F> = {
  readonly [K in keyof F as F[K] extends { readonly retired: string } ? never : K]: F[K] extends Flag<infer T>
    ? T
    : never;
};

type Common = Pick<Flag<unknown>, 'name' | 'help' | 'alsoEnv' | 'renamed'>;

/** Flags by the type of their value. Those without a default are optional, or required where that is said. */
export const flag = {
  boolean: (options: Common & { readonly default?: boolean }): Flag<boolean> => ({
    default: false,
    ...options,
  }),

  /** Without a default an empty value means that it is not given, as in kiam: templates render `--region=`. */
  text: <D extends string | undefined = undefined>(
    options: Common & { readonly placeholder: string; readonly default?: D },
  ): Flag<string | D> => ({
    ...options,
    parse: (text) => (text === '' && options.default === undefined ? (undefined as D) : text),
  }),

  /** The path of a file. Who loads it says what is wrong with it: an agent has installed its rule by then. */
  requiredFile: (options: Common): Flag<string> => ({
    ...options,
    placeholder: 'FILE',
    required: true,
    parse: (text) => text,
  }),

  /** In Go's syntax, read into milliseconds. */
  duration: (
    options: Common & {
      readonly default: number;
      readonly min?: number;
      /** What less is taken as, without a word: where kiam's library did so. */
      readonly floor?: number;
      /** Under its old names, which end in `-ms`, a number without a unit is one of milliseconds. */
      readonly renamedMillis?: boolean;
    },
  ): Flag<number> => {
    const { min = 0, floor = 0, renamedMillis = false, ...rest } = options;
    const parse = (text: string): number => {
      const millis = parseDuration(text);
      if (millis === undefined)
        throw new InvalidArgumentError('it must be a duration such as 10s, 500ms or 1h30m');
      if (millis < min) throw new InvalidArgumentError(`it must be at least ${formatDuration(min)}`);
      return Math.max(millis, floor);
    };
    const shown = { placeholder: 'DURATION', shownDefault: formatDuration(options.default) };
    if (!renamedMillis) return { ...rest, ...shown, parse };
    return {
      ...rest,
      ...shown,
      parse,
      parseRenamed: (text) => parse(/^\d+$/.test(text) ? `${text}ms` : text),
    };
  },

  integer: (
    options: Common & { readonly default: number; readonly min: number; readonly max: number },
  ): Flag<number> => ({
    ...options,
    placeholder: 'NUMBER',
    parse(text) {
      const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
      if (number >= options.min && number <= options.max) return number;
      throw new InvalidArgumentError(`it must be a whole number from ${options.min} to ${options.max}`);
    },
  }),

  choice: <const C extends string>(
    options: Common & { readonly choices: readonly C[]; readonly default: C },
  ): Flag<C> => ({
    ...options,
    placeholder: 'CHOICE',
    parse(text) {
      const chosen = options.choices.find((choice) => choice === text);
      if (chosen !== undefined) return chosen;
      throw new InvalidArgumentError(`it must be one of ${options.choices.join(', ')}`);
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

/** Puts the flags of a table under one heading of help. */
export function grouped<F extends FlagTable>(group: string, table: F): F {
  const entries = Object.entries(table).map(([key, definition]) => [key, { ...definition, group }]);
  return Object.fromEntries(entries) as F;
}

/** Marks flags of kiam's that mean nothing here, all for the same reason. The reason goes on after `because`. */
export function retired<F extends FlagTable>(
  because: string,
  table: F,
): { readonly [K in keyof F]: F[K] & { readonly retired: string } } {
  const entries = Object.entries(table).map(([key, definition]) => [
    key,
    { ...definition, retired: because },
  ]);
  return Object.fromEntries(entries) as { [K in keyof F]: F[K] & { retired: string } };
}

/** The environment variable of a flag: `--json-log` is also `PODPASS_JSON_LOG`. */
export function environmentName(name: string): string {
  return `PODPASS_${name.toUpperCase().replaceAll('-', '_')}`;
}
