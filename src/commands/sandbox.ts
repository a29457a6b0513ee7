import { Command } from 'commander';
import { addFlags } from './add-flags.ts';
import { readFlags } from './read-flags.ts';
import { execFlags, sandboxFlags } from './sandbox-flags.ts';

/** `podpass sandbox`: a cluster, an STS, a server and an agent, and a standalone process on this machine. */
export function sandboxCommand(): Command {
  const command = new Command('sandbox').description(
    'Run a small cluster, a small STS and the real server, agent and standalone process on loopback. Needs no root, cluster or AWS account.',
  );
  command.enablePositionalOptions().passThroughOptions();
  addFlags(command, sandboxFlags).action(async () => {
    const { runSandbox } = await import('./sandbox-run.ts');
    await runSandbox(readFlags(command, sandboxFlags));
  });

  const demo = new Command('demo').description(
    'Start a sandbox, ask for credentials as each example pod with real AWS clients, compare with what is expected, and end.',
  );
  addFlags(demo, sandboxFlags).action(async () => {
    const { runDemo } = await import('./sandbox-demo.ts');
    process.exitCode = await runDemo(readFlags(demo, sandboxFlags));
  });

  const exec = new Command('exec')
    .description(
      'Run a command as a pod, in the sandbox that runs or else in one of its own, and exit with its status.',
    )
    .argument('<pod>', 'NAMESPACE/POD')
    .argument('<command...>', 'what to run; put -- before it')
    .usage('[options] NAMESPACE/POD -- COMMAND...')
    .passThroughOptions();
  addFlags(exec, execFlags).action(async (pod: string, words: string[]) => {
    const { runExec } = await import('./sandbox-exec.ts');
    process.exitCode = await runExec(pod, words, readFlags(exec, execFlags));
  });

  const client = new Command('client')
    .description('Ask who this is with the AWS SDK for JavaScript, and print it as JSON. For exec.')
    .action(async () => {
      const { runClient } = await import('../sandbox/client.ts');
      process.stdout.write(`${JSON.stringify(await runClient(process.env))}\n`);
    });

  for (const sub of [demo, exec, client]) command.addCommand(sub.enablePositionalOptions());
  return command;
}
