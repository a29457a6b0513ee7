import type { Command } from 'commander';

/** The commands whose arguments were written for kube2iam. */
const commands: ReadonlySet<string> = new Set(['standalone']);

/**
 * kube2iam's booleans take a value, and only after an equals sign: `--iptables=true`, `--iptables=false`. What is behind
 * a space is an argument of its own, there as here. Values are those of Go's strconv.ParseBool; others are left for the
 * parser to refuse.
 */
export function booleansOfPflag(program: Command, args: readonly string[]): readonly string[] {
  const command = program.commands.find((sub) => sub.name() === args[0] && commands.has(sub.name()));
  if (command === undefined) return args;
  const end = args.indexOf('--');
  return args.map((arg, at) => (end < 0 || at < end ? withoutValue(command, arg) : arg));
}

function withoutValue(command: Command, arg: string): string {
  const [, name, value = ''] = /^--([\w-]+)=(.*)$/s.exec(arg) ?? [];
  const option = command.options.find(({ long }) => name !== undefined && long === `--${name}`);
  // The negations are options of their own.
  if (option === undefined || option.required || option.optional || option.negate) return arg;
  if (/^(?:1|t|T|TRUE|true|True)$/.test(value)) return `--${name}`;
  if (/^(?:0|f|F|FALSE|false|False)$/.test(value)) return `--no-${name}`;
  return arg;
}
