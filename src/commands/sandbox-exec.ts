import { spawn } from 'node:child_process';
import { systemClock } from '../base/clock.ts';
import { PodpassError } from '../base/errors.ts';
import { ensureAwsCli } from '../sandbox/aws-cli.ts';
import { askDoor, reasonOf } from '../sandbox/demo/ask-door.ts';
import type { Mode } from '../sandbox/pod-doors.ts';
import { podEnvironment } from '../sandbox/pod-environment.ts';
import { runCommand } from '../sandbox/run-command.ts';
import { type RunningSandbox, readRunningSandbox } from '../sandbox/running-sandbox.ts';
import { startSandbox } from '../sandbox/sandbox.ts';
import type { FlagValues } from './flags.ts';
import { shutdownSignal } from './lifecycle.ts';
import { cacheDir, runningFolder, type SandboxFlags, sandboxOptions } from './sandbox-context.ts';
import type { execFlags } from './sandbox-flags.ts';
import { describeRunning } from './sandbox-run.ts';

/**
 * Runs a command as a pod of the sandbox that runs, or of one started for it.
 *
 * @returns the command's exit status
 * @throws PodpassError ERR_SANDBOX
 */
export async function runExec(
  pod: string,
  command: readonly string[],
  flags: FlagValues<typeof execFlags>,
): Promise<number> {
  const signal = shutdownSignal();
  const mode = flags.standalone ? 'standalone' : 'split';
  const running = asksForItsOwn(flags) ? undefined : await readRunningSandbox(runningFolder);
  if (running) return execIn(running, { pod, mode }, command, signal);
  const sandbox = await startSandbox(sandboxOptions(flags, signal));
  try {
    return await execIn(describeRunning(sandbox), { pod, mode }, command, signal);
  } finally {
    await sandbox.close();
  }
}

/** What only a sandbox that is started for it can have. */
function asksForItsOwn({ manifests, stsLatency, stsThrottle }: SandboxFlags): boolean {
  return manifests !== undefined || stsLatency > 0 || stsThrottle > 0;
}

async function execIn(
  sandbox: RunningSandbox,
  { pod, mode }: { readonly pod: string; readonly mode: Mode },
  command: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  const doors = sandbox.doors[pod];
  if (!doors) {
    const known = Object.keys(sandbox.doors).sort().join('\n  ');
    throw new PodpassError(
      'ERR_SANDBOX',
      `there is no running pod ${JSON.stringify(pod)} in the sandbox. There are:\n  ${known}`,
    );
  }
  const url = doors[mode].v2;
  const env = podEnvironment(process.env, {
    metadataUrl: url,
    stsUrl: sandbox.stsUrl,
    region: sandbox.region,
  });
  // The parser leaves the `--` in that separates our own words from the command's.
  const [file = '', ...args] = command[0] === '--' ? command.slice(1) : command;
  const status = await run(file === 'aws' ? await findAws(signal) : file, args, env, signal);
  if (status !== 0) await explainRefusal(pod, url, signal);
  return status;
}

/** AWS clients do not show why they got no credentials; the door says it. */
async function explainRefusal(pod: string, url: string, signal: AbortSignal): Promise<void> {
  const answer = await askDoor(url, 'v2', signal);
  if (answer.status === 200) return;
  process.stderr.write(`podpass: ${pod} gets no credentials (${answer.status}): ${reasonOf(answer.body)}\n`);
}

/** An AWS CLI that can be pointed at the sandbox, installed if need be. */
async function findAws(signal: AbortSignal): Promise<string> {
  const found = await ensureAwsCli({
    env: process.env,
    cacheDir,
    run: runCommand,
    clock: systemClock,
    signal,
    onInstall: (message) => process.stderr.write(`podpass: ${message}\n`),
  });
  if (found.kind === 'found') return found.command;
  throw new PodpassError('ERR_SANDBOX', `there is no AWS CLI to run: ${found.reason}`);
}

/** Runs a command on this terminal. */
function run(
  file: string,
  args: readonly string[],
  env: Record<string, string>,
  signal: AbortSignal,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { env, stdio: 'inherit' });
    signal.addEventListener('abort', () => child.kill('SIGTERM'), { once: true });
    child.once('error', (cause) =>
      reject(
        new PodpassError('ERR_SANDBOX', `cannot run ${JSON.stringify(file)}: ${cause.message}`, { cause }),
      ),
    );
    child.once('exit', (status, killedBy) => resolve(killedBy ? 128 : (status ?? 1)));
  });
}
