import { Command } from 'commander';
import { addFlags, readFlags } from './flags.ts';
import { healthFlags } from './health-flags.ts';

/** `podpass health`: a probe for a server, over the same TLS as an agent. */
export function healthCommand(): Command {
  const command = new Command('health').description(
    'Ask a server whether it is healthy. Status 0 if it says so.',
  );
  return addFlags(command, healthFlags).action(async () => {
    const { runHealth } = await import('./health-run.ts');
    await runHealth(readFlags(command, healthFlags));
  });
}
