import { Command, CommanderError } from 'commander';
import { messageOf, PodpassError } from '../base/errors.ts';
import { agentCommand } from './agent.ts';
import { booleansOfPflag } from './booleans-of-pflag.ts';
import { completionCommand } from './completion.ts';
import { expandArgumentFiles } from './expand-argument-files.ts';
import { fullName } from './full-name.ts';
import { healthCommand } from './health.ts';
import { helpEnding, helpLayout } from './help-layout.ts';
import { iamCommand } from './iam.ts';
import { statusOfRequestToEnd, untilDone } from './lifecycle.ts';
import { sandboxCommand } from './sandbox.ts';
import { serverCommand } from './server.ts';
import { standaloneCommand } from './standalone.ts';
import { version } from './version.ts';

/** The whole command table. Building it loads no room: a command loads its own when it runs. */
export function createProgram(): Command {
  const program = new Command('podpass')
    .description('Gives every Kubernetes pod its own AWS IAM role, on any cluster.')
    .version(version, '--version', 'print the version')
    .helpCommand('help [command]', 'show help of a command')
    .enablePositionalOptions()
    .showHelpAfterError(false);
  for (const command of [
    agentCommand(),
    serverCommand(),
    standaloneCommand(),
    healthCommand(),
    sandboxCommand(),
    iamCommand(),
    completionCommand(program),
  ]) {
    program.addCommand(command);
  }
  for (const command of allCommands(program)) {
    command.helpOption('--help', 'show this help').configureHelp(helpLayout).exitOverride();
    if (command.options.length > 1) command.addHelpText('after', helpEnding);
  }
  return program;
}

/** Where a command line is read and what it says are passed in by tests. */
export interface Terminal {
  /** Writes to standard error. */
  readonly error: (text: string) => void;
  /** Writes to standard output. */
  readonly out: (text: string) => void;
}

const processTerminal: Terminal = {
  error: (text) => process.stderr.write(text),
  out: (text) => process.stdout.write(text),
};

/**
 * Runs one command line.
 *
 * @param argv as `process.argv` has it: the first two entries are the runtime and the script.
 * @returns the exit status: 0, 1 for any error (as kiam's), what the command chose, or 128 and more where it was
 *   asked to end before it was done.
 */
export async function runCommandLine(
  argv: readonly string[],
  terminal: Terminal = processTerminal,
): Promise<number> {
  const program = createProgram();
  for (const command of allCommands(program)) {
    command.configureOutput({
      writeOut: terminal.out,
      writeErr: terminal.error,
      outputError: (text) => terminal.error(`podpass: ${explain(command, text)}\n`),
    });
  }
  try {
    const args = booleansOfPflag(program, namesOfKingpin(expandArgumentFiles(argv.slice(2))));
    if (args.length === 0) {
      // As kiam's does.
      program.outputHelp({ error: true });
      return 0;
    }
    const end = args.indexOf('--');
    if (args.slice(0, end < 0 ? undefined : end).includes('--help-long')) {
      for (const command of allCommands(program)) terminal.out(`${command.helpInformation()}\n`);
      return 0;
    }
    await untilDone(program.parseAsync(args, { from: 'user' }));
    return typeof process.exitCode === 'number' ? process.exitCode : 0;
  } catch (error) {
    // Commander has already written what it has to say.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 1;
    const status = statusOfRequestToEnd(error);
    if (status !== undefined) return status;
    if (error instanceof PodpassError) terminal.error(`podpass: error: ${error.message}\n`);
    else
      terminal.error(
        `podpass: error: ${error instanceof Error ? (error.stack ?? error.message) : messageOf(error)}\n`,
      );
    return 1;
  }
}

/** What kiam's command line gives without a command, by the command that gives it here. */
function namesOfKingpin(args: readonly string[]): readonly string[] {
  const [, shell] = /^--completion-script-(bash|zsh)$/.exec(args[0] ?? '') ?? [];
  return shell === undefined ? args : ['completion', shell];
}

/** What commander says about a command line, as one line that says what to do. */
function explain(command: Command, text: string): string {
  const [, name] = /unknown option '--(?:no-)?([\w-]+)=/.exec(text) ?? [];
  const isBoolean = command.options.some(({ long, required }) => long === `--${name}` && !required);
  const what = isBoolean
    ? `error: --${name} takes no value: write --${name} or --no-${name}`
    : text
        .replaceAll(/\s+/g, ' ')
        .replaceAll(/\p{Cc}/gu, '?')
        .slice(0, 300);
  return `${what.replace(/[.\s]*$/, '')}, try "${fullName(command)} --help"`;
}

function* allCommands(command: Command): Generator<Command> {
  yield command;
  for (const sub of command.commands) yield* allCommands(sub);
}
