import { Command, CommanderError } from 'commander';
import { messageOf, PodpassError } from '../base/errors.ts';
import { agentCommand } from './agent.ts';
import { healthCommand } from './health.ts';
import { statusOfRequestToEnd } from './lifecycle.ts';
import { sandboxCommand } from './sandbox.ts';
import { serverCommand } from './server.ts';
import { version } from './version.ts';

/** The whole command table. Building it loads no room: a command loads its own when it runs. */
export function createProgram(): Command {
  const program = new Command('podpass')
    .description('Gives every Kubernetes pod its own AWS IAM role, on any cluster.')
    .version(version, '--version', 'print the version')
    .helpOption('--help', 'show this help')
    .helpCommand('help [command]', 'show help of a command')
    .enablePositionalOptions()
    .showHelpAfterError(false);
  for (const command of [agentCommand(), serverCommand(), healthCommand(), sandboxCommand()]) {
    program.addCommand(command);
  }
  return program;
}

/**
 * Runs one command line.
 *
 * @param argv as `process.argv` has it: the first two entries are the runtime and the script.
 * @returns the exit status: 0, 1 for any error (as kiam's), what the command chose, or 128 and more where it was
 *   asked to end before it was done.
 */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  const program = createProgram();
  const write = (line: string) => process.stderr.write(line);
  for (const command of allCommands(program)) {
    command.exitOverride().configureOutput({
      outputError: (text) =>
        write(`podpass: ${text.replace(/[.\s]*$/, '')}, try "${fullName(command)} --help"\n`),
    });
  }
  try {
    await program.parseAsync(argv);
    return typeof process.exitCode === 'number' ? process.exitCode : 0;
  } catch (error) {
    // Commander has already written what it has to say.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 1;
    const status = statusOfRequestToEnd(error);
    if (status !== undefined) return status;
    if (error instanceof PodpassError) write(`podpass: error: ${error.message}\n`);
    else write(`podpass: error: ${error instanceof Error ? error.stack : messageOf(error)}\n`);
    return 1;
  }
}

function* allCommands(command: Command): Generator<Command> {
  yield command;
  for (const sub of command.commands) yield* allCommands(sub);
}

function fullName(command: Command): string {
  return command.parent ? `${fullName(command.parent)} ${command.name()}` : command.name();
}
