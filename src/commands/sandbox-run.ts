import { messageOf } from '../base/errors.ts';
import { describeChange, describeDoors, describeSandbox } from '../sandbox/narrator.ts';
import {
  type RunningSandbox,
  removeRunningSandbox,
  writeRunningSandbox,
} from '../sandbox/running-sandbox.ts';
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts';
import { audienceSignal, untilAborted } from './lifecycle.ts';
import { runningFolder, type SandboxFlags, sandboxOptions } from './sandbox-context.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** What another process needs to know of a sandbox. */
export function describeRunning({ doors, urls, region }: Sandbox): RunningSandbox {
  const byName = doors
    .list()
    .map(({ pod, split, standalone }) => [`${pod.namespace}/${pod.name}`, { split, standalone }] as const);
  return { pid: process.pid, stsUrl: urls.sts, region, doors: Object.fromEntries(byName) };
}

/** Runs `podpass sandbox` until it is asked to end. */
export async function runSandbox(flags: SandboxFlags): Promise<void> {
  const signal = audienceSignal();
  let isStarted = false;
  const sandbox = await startSandbox({
    ...sandboxOptions(flags, signal),
    onLine: (process, line) => {
      if (flags.verbose || (isStarted && isWorthShowing(line))) say(`${process}  ${line}`);
    },
  });
  try {
    // One after the other: the last word must be the latest.
    let published = writeRunningSandbox(runningFolder, describeRunning(sandbox));
    await published;
    say(describeSandbox(sandbox));
    isStarted = true;
    sandbox.doors.onChange((opened) => {
      published = published
        .then(() => writeRunningSandbox(runningFolder, describeRunning(sandbox)))
        .catch((error: unknown) => say(`"exec" will not find the latest pods: ${messageOf(error)}`));
      if (opened) say(`runs${describeDoors(opened)}`);
    });
    sandbox.doors.onFailure(({ namespace, name }, error) => {
      say(`pod  ${namespace}/${name} runs, but there is no way into it: ${messageOf(error)}`);
    });
    sandbox.cluster.store.subscribe((change) => {
      for (const line of describeChange(change)) say(line);
    });
    await untilAborted(signal);
  } finally {
    await removeRunningSandbox(runningFolder, process.pid);
    await sandbox.close();
  }
}

/** Warnings and errors. What was said while starting is in the events, and over. */
function isWorthShowing(line: string): boolean {
  return /"level":"(warning|error|fatal)"/.test(line) || !line.startsWith('{');
}
