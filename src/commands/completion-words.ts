import type { Command } from 'commander';

/** The shells that podpass can be completed in. */
export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** What a flag is followed by. */
export type CompletedValue =
  | { readonly kind: 'none' | 'any' | 'file' | 'folder' }
  | { readonly kind: 'choice'; readonly choices: readonly string[] };

export interface CompletedFlag {
  /** With dashes. */
  readonly name: string;
  readonly help: string;
  readonly value: CompletedValue;
}

/** One command, as far as a shell is to know it. */
export interface CompletedCommand {
  /** Below `podpass`, with blanks: `sandbox exec`; empty for `podpass` itself. */
  readonly path: string;
  readonly help: string;
  readonly subcommands: readonly { readonly name: string; readonly help: string }[];
  /** What may stand in the place of a subcommand. */
  readonly words: readonly string[];
  readonly flags: readonly CompletedFlag[];
}

/** Every command with its flags. Those that help does not show are not completed either. */
export function completionWords(program: Command): readonly CompletedCommand[] {
  const found: CompletedCommand[] = [];
  visit(program, '');
  return found;

  function visit(command: Command, path: string): void {
    const shown = command.commands.map((sub) => ({ name: sub.name(), help: sub.description() }));
    found.push({
      path,
      help: command.description(),
      subcommands: path === '' ? [...shown, { name: 'help', help: 'show help of a command' }] : shown,
      words: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
      flags: [...flagsOf(command), { name: '--help', help: 'show this help', value: { kind: 'none' } }],
    });
    for (const sub of command.commands) visit(sub, `${path} ${sub.name()}`.trimStart());
  }
}

function flagsOf(command: Command): CompletedFlag[] {
  return command.options.flatMap((option) => {
    const { long, description, hidden, required, argChoices, flags } = option;
    if (!long || hidden) return [];
    if (!required) return [{ name: long, help: description, value: { kind: 'none' } }];
    const [, placeholder] = /<(.+)>/.exec(flags) ?? [];
    return [{ name: long, help: description, value: completedValue(placeholder, argChoices) }];
  });
}

function completedValue(
  placeholder: string | undefined,
  choices: readonly string[] | undefined,
): CompletedValue {
  if (choices) return { kind: 'choice', choices };
  if (placeholder === 'FILE') return { kind: 'file' };
  return { kind: placeholder === 'DIR' ? 'folder' : 'any' };
}
