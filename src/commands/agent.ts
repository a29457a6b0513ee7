import { Command } from 'commander';
import { agentFlags } from './agent-flags.ts';
import { addFlags, readFlags } from './flags.ts';
import { keepHeapSmall } from './small-heap.ts';

/** `podpass agent`: answers the metadata requests of its node's pods. */
export function agentCommand(): Command {
  const command = new Command('agent').description(
    "Answer the metadata requests of one node's pods. Runs on every node; holds no Kubernetes or AWS rights.",
  );
  return addFlags(command, agentFlags).action(async () => {
    keepHeapSmall();
    const { runAgent } = await import('./agent-run.ts');
    await runAgent(readFlags(command, agentFlags));
  });
}
