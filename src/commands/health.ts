import { Command } from 'commander';
import { addFlags } from './add-flags.ts';
import { healthFlags } from './health-flags.ts';
import { describeObsolete, readFlags } from './read-flags.ts';

/** `podpass health`: a probe for a server, over the same TLS as an agent. */
export function healthCommand(): Command {
  const command = new Command('health').description(
    'Ask a server whether it is healthy. Status 0 if it says so.',
  );
  return addFlags(command, healthFlags).action(async () => {
    // What is wrong with the flags is said before anything is loaded.
    const flags = readFlags(command, healthFlags);
    const { runHealth } = await import('./health-run.ts');
    await runHealth(flags, describeObsolete(command, healthFlags));
  });
}
