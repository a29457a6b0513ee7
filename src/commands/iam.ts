import { Command } from 'commander';
import { addFlags } from './add-flags.ts';
import { iamSetupFlags } from './iam-setup-flags.ts';
import { readFlags } from './read-flags.ts';

/** `podpass iam`: what AWS IAM has to say for podpass to work. */
export function iamCommand(): Command {
  const command = new Command('iam').description('Print the IAM policies that podpass needs.');
  const setup = new Command('setup').description(
    'Print roles and policies for servers, their nodes and pods. Calls nobody and changes nothing.',
  );
  addFlags(setup, iamSetupFlags).action(async () => {
    const { renderIamSetup } = await import('./iam-setup-run.ts');
    setup.configureOutput().writeOut?.(renderIamSetup(readFlags(setup, iamSetupFlags)));
  });
  return command.addCommand(setup);
}
