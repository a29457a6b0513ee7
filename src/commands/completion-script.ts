import type { Command } from 'commander';
import { unreachable } from '../base/errors.ts';
import {
  type CompletedCommand,
  type CompletedFlag,
  completionWords,
  type Shell,
} from './completion-words.ts';

/** The text that a shell sources to complete `podpass`. Everything is in it: pressing Tab starts no process. */
export function completionScript(program: Command, shell: Shell): string {
  const commands = completionWords(program);
  switch (shell) {
    case 'bash':
      return bashScript(commands);
    case 'zsh':
      // Its own emulation of bash' completion, which kiam's script used, too.
      return `#compdef podpass\nautoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n\n${bashScript(commands)}`;
    case 'fish':
      return fishScript(commands);
    default:
      return unreachable(shell);
  }
}

function bashScript(commands: readonly CompletedCommand[]): string {
  const nested = commands.flatMap(({ path, subcommands }) =>
    subcommands.map(({ name }) => `      '${path}:${name}') path='${`${path} ${name}`.trimStart()}' ;;`),
  );
  const values = commands.flatMap(({ path, flags }) =>
    flags.flatMap((flag) => {
      const words = bashValue(flag);
      return words === undefined ? [] : [`    '${path} ${flag.name}') ${words}; return ;;`];
    }),
  );
  const names = commands.map(({ path, subcommands, words, flags }) => {
    const all = [...subcommands.map(({ name }) => name), ...words, ...flags.map(({ name }) => name)];
    return `    '${path}') words='${all.join(' ')}' ;;`;
  });
  return `_podpass() {
  local word path='' words='' i
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}"
  # Bash takes --flag=value apart: the sign is a word of its own.
  if [[ "$current" == '=' ]]; then current=''
  elif [[ "$before" == '=' ]]; then before="\${COMP_WORDS[COMP_CWORD-2]}"
  fi
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    case "$path:$word" in
${nested.join('\n')}
    esac
  done
  case "$path $before" in
${values.join('\n')}
  esac
  case "$path" in
${names.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _podpass podpass
`;
}

/** The command that fills in what may follow a flag; `undefined` for a flag that takes nothing. */
function bashValue({ value }: CompletedFlag): string | undefined {
  switch (value.kind) {
    case 'none':
      return undefined;
    case 'any':
      return ':';
    case 'file':
      return 'COMPREPLY=($(compgen -f -- "$current"))';
    case 'folder':
      return 'COMPREPLY=($(compgen -d -- "$current"))';
    case 'choice':
      return `COMPREPLY=($(compgen -W '${value.choices.join(' ')}' -- "$current"))`;
    default:
      return unreachable(value);
  }
}

function fishScript(commands: readonly CompletedCommand[]): string {
  const lines = commands.flatMap(({ path, subcommands, words, flags }) => {
    const seen = path.split(' ').filter((name) => name !== '');
    const notYet =
      subcommands.length > 0
        ? [`not __fish_seen_subcommand_from ${subcommands.map(({ name }) => name).join(' ')}`]
        : [];
    const here = [...seen.map((name) => `__fish_seen_subcommand_from ${name}`), ...notYet].join('; and ');
    const start = `complete -c podpass -n ${quote(here)}`;
    return [
      ...subcommands.map(({ name, help }) => `${start} -f -a ${name} -d ${quote(help)}`),
      ...words.map((word) => `${start} -f -a ${word}`),
      ...flags.map((flag) => `${start} -l ${flag.name.slice(2)}${fishValue(flag)} -d ${quote(flag.help)}`),
    ];
  });
  return `${lines.join('\n')}\n`;
}

function fishValue({ value }: CompletedFlag): string {
  switch (value.kind) {
    case 'none':
      return '';
    case 'any':
      return ' -x';
    case 'file':
      return ' -r -F';
    case 'folder':
      return " -x -a '(__fish_complete_directories)'";
    case 'choice':
      return ` -x -a ${quote(value.choices.join(' '))}`;
    default:
      return unreachable(value);
  }
}

/** A word in single quotes, as fish reads them. */
function quote(text: string): string {
  return `'${text.replaceAll(/['\\]/g, '\\$&')}'`;
}
