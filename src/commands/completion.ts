import { Argument, Command } from 'commander';
import { shells } from './completion-words.ts';

/** `podpass completion SHELL`: prints what a shell needs to complete podpass' command lines. */
export function completionCommand(program: Command): Command {
  const command = new Command('completion').description(
    'Print a completion script. bash: source <(podpass completion bash). fish: podpass completion fish | source.',
  );
  return command
    .addArgument(new Argument('<shell>', 'the shell').choices(shells))
    .action(async (shell: (typeof shells)[number]) => {
      const { completionScript } = await import('./completion-script.ts');
      command.configureOutput().writeOut?.(completionScript(program, shell));
    });
}
