import { Command } from 'commander';
import { addFlags, readFlags } from './flags.ts';
import { serverFlags } from './server-flags.ts';
import { keepHeapSmall } from './small-heap.ts';

/** `podpass server`: watches pods, decides, calls STS and feeds the agents. */
export function serverCommand(): Command {
  const command = new Command('server').description(
    'Watch pods, decide which role each may have, fetch credentials and push them to the agents.',
  );
  return addFlags(command, serverFlags).action(async () => {
    keepHeapSmall();
    const { runServer } = await import('./server-run.ts');
    await runServer(readFlags(command, serverFlags));
  });
}
