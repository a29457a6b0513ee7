import { Command } from 'commander';
import { addFlags } from './add-flags.ts';
import { agentFlags } from './agent-flags.ts';
import { describeObsolete, readFlags } from './read-flags.ts';
import { keepHeapSmall } from './small-heap.ts';

/** `podpass agent`: answers the metadata requests of its node's pods. */
export function agentCommand(): Command {
  const command = new Command('agent').description(
    "Answer the metadata requests of one node's pods. Runs on every node; holds no Kubernetes or AWS rights.",
  );
  return addFlags(command, agentFlags).action(async () => {
    keepHeapSmall();
    // What is wrong with the flags is said before anything is loaded.
    const flags = readFlags(command, agentFlags);
    const { runAgent } = await import('./agent-run.ts');
    await runAgent(flags, describeObsolete(command, agentFlags));
  });
}
