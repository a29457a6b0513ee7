import type { Command } from 'commander';

/** A command as it is called: `podpass sandbox exec`. */
export function fullName(command: Command): string {
  return command.parent ? `${fullName(command.parent)} ${command.name()}` : command.name();
}
