import { Command } from 'commander';
import { addFlags } from './add-flags.ts';
import { describeObsolete, readFlags } from './read-flags.ts';
import { keepHeapSmall } from './small-heap.ts';
import { standaloneFlags } from './standalone-flags.ts';
import { version } from './version.ts';

/** `podpass standalone`: all of podpass in one process on each node, with kube2iam's arguments. */
export function standaloneCommand(): Command {
  const command = new Command('standalone').description(
    "Do all of it for one node's pods in one process, as kube2iam does and with its arguments. Needs no server.",
  );
  return addFlags(command, standaloneFlags).action(async () => {
    keepHeapSmall();
    // What is wrong with the flags is said before anything is loaded.
    const flags = readFlags(command, standaloneFlags);
    if (flags.version) {
      process.stdout.write(`${version}\n`);
      return;
    }
    const { runStandalone } = await import('./standalone-run.ts');
    await runStandalone(flags, describeObsolete(command, standaloneFlags));
  });
}
