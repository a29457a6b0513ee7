import { Command } from 'commander';
import { addFlags } from './add-flags.ts';
import { describeObsolete, readFlags } from './read-flags.ts';
import { serverFlags } from './server-flags.ts';
import { keepHeapSmall } from './small-heap.ts';

/** `podpass server`: watches pods, decides, calls STS and feeds the agents. */
export function serverCommand(): Command {
  const command = new Command('server').description(
    'Watch pods, decide which role each may have, fetch credentials and push them to the agents.',
  );
  return addFlags(command, serverFlags).action(async () => {
    keepHeapSmall();
    // What is wrong with the flags is said before anything is loaded.
    const flags = readFlags(command, serverFlags);
    const { runServer } = await import('./server-run.ts');
    await runServer(flags, describeObsolete(command, serverFlags));
  });
}
