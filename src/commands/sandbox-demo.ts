import { join } from 'node:path';
import { systemClock } from '../base/clock.ts';
import { findAwsCliOnPath } from '../sandbox/aws-cli.ts';
import type { ClientResult } from '../sandbox/client.ts';
import { askDoor } from '../sandbox/demo/ask-door.ts';
import { type Expectation, readExpectations } from '../sandbox/demo/expectations.ts';
import { type ClientRun, judge } from '../sandbox/demo/judge.ts';
import { type DemoRow, renderDemo } from '../sandbox/demo/render-demo.ts';
import type { DoorPair, Mode } from '../sandbox/pod-doors.ts';
import { podEnvironment } from '../sandbox/pod-environment.ts';
import { runCommand } from '../sandbox/run-command.ts';
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts';
import { audienceSignal } from './lifecycle.ts';
import { podpassCommand, type SandboxFlags, sandboxOptions } from './sandbox-context.ts';

const say = (text: string) => process.stdout.write(`${text}\n`);

/** One AWS client: how it is run, and how its output is read. */
interface AwsClient {
  readonly name: string;
  readonly imds: 'v1' | 'v2';
  readonly command: readonly string[];
  readonly read: (stdout: string, stderr: string) => ClientResult;
}

const clientMillis = 30_000;
/** Clients that run at the same time. */
const parallel = 2;

/**
 * Runs the demo.
 *
 * @returns 0 only if every pod saw what it must see and nothing of the node's leaked
 */
export async function runDemo(flags: SandboxFlags): Promise<number> {
  const signal = audienceSignal();
  const began = performance.now();
  const options = sandboxOptions(flags, signal);
  const expectations = await readExpectations(join(options.manifests, 'expected.yaml'));
  const sandbox = await startSandbox({
    ...options,
    onLine: (process, line) => {
      if (flags.verbose) say(`${process}  ${line}`);
    },
  });
  try {
    say(
      `sandbox ready in ${seconds(began)}: cluster API, STS, metadata stand-in, podpass server, agent and standalone`,
    );
    const width = process.stdout.columns ?? 110;
    const split = await askAll({ sandbox, mode: 'split', signal }, expectations, [
      ...sdkClients,
      ...(await findCliClients(signal)),
    ]);
    say(`\n${renderDemo('server and agent', split, width)}`);
    const standalone = await askAll({ sandbox, mode: 'standalone', signal }, expectations, sdkClients);
    say(`\n${renderDemo('standalone', standalone, width, split)}`);
    return summarise({ split, standalone }, sandbox, began);
  } finally {
    await sandbox.close();
  }
}

function summarise(
  { split, standalone }: Readonly<Record<Mode, readonly DemoRow[]>>,
  sandbox: Sandbox,
  began: number,
): number {
  say(
    'SDK: AWS SDK for JavaScript. CLI: AWS CLI. v1, v2: through IMDSv1, IMDSv2. role: got one; none: got none.\n' +
      'Below standalone is what a pod got only where that is another thing than through server and agent.',
  );
  const good = (rows: readonly DemoRow[]) => rows.filter(({ verdict }) => verdict.ok).length;
  const share = (rows: readonly DemoRow[]) => `${good(rows)} of ${rows.length}`;
  const leaks = sandbox.nodeMetadata.requests.length;
  const calls = sandbox.sts.calls.filter(({ action }) => action === 'AssumeRole').length;
  say(
    `${share(split)} pods saw what they must see through server and agent, ${share(standalone)} through standalone.\n` +
      `It took ${seconds(began)} and ${calls} calls of AssumeRole.`,
  );
  say(`${leaks} requests of pods reached the node's own metadata service.`);
  const rows = [...split, ...standalone];
  return good(rows) === rows.length && leaks === 0 ? 0 : 1;
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1_000).toFixed(1)} s`;
}

/** The SDK that comes with podpass, through both versions of the protocol. */
const sdkClients = (['v1', 'v2'] as const).map(
  (imds): AwsClient => ({
    name: `SDK ${imds}`,
    imds,
    command: [...podpassCommand, 'sandbox', 'client'],
    read: (stdout) => JSON.parse(stdout) as ClientResult,
  }),
);

/** The AWS CLI likewise, where there is one. */
async function findCliClients(signal: AbortSignal): Promise<readonly AwsClient[]> {
  const cli = await findAwsCliOnPath({ env: process.env, run: runCommand, signal });
  if (cli.kind === 'missing') {
    say(`without the AWS CLI: ${cli.reason}`);
    return [];
  }
  const awsCli = (imds: 'v1' | 'v2'): AwsClient => ({
    name: `CLI ${imds}`,
    imds,
    command: [cli.command, 'sts', 'get-caller-identity', '--output', 'json'],
    read: readCliOutput,
  });
  return [awsCli('v1'), awsCli('v2')];
}

function readCliOutput(stdout: string, stderr: string): ClientResult {
  if (stdout.trim() === '') return { kind: 'error', name: 'AWS CLI', message: stderr.trim() };
  const { Arn, Account } = JSON.parse(stdout) as { Arn: string; Account: string };
  return { kind: 'identity', arn: Arn, account: Account };
}

/** Where pods are asked as, and through what. */
interface Asking {
  readonly sandbox: Sandbox;
  readonly mode: Mode;
  readonly signal: AbortSignal;
}

async function askAll(
  asking: Asking,
  expectations: readonly Expectation[],
  clients: readonly AwsClient[],
): Promise<readonly DemoRow[]> {
  const jobs = expectations.flatMap((expected) => clients.map((client) => ({ expected, client })));
  const runs = new Map<Expectation, ClientRun[]>(expectations.map((expected) => [expected, []]));
  const next = jobs.values();
  await Promise.all(
    Array.from({ length: parallel }, async () => {
      for (const { expected, client } of next)
        runs.get(expected)?.push(await runClient(asking, expected, client));
    }),
  );
  return Promise.all(
    expectations.map(async (expected) => {
      const order = (run: ClientRun) => clients.findIndex(({ name }) => name === run.client);
      const sorted = (runs.get(expected) ?? []).toSorted((a, b) => order(a) - order(b));
      const doors = doorsOf(asking, expected.pod);
      const answers = doors
        ? await Promise.all([askDoor(doors.v1, 'v1', asking.signal), askDoor(doors.v2, 'v2', asking.signal)])
        : [];
      return { verdict: judge(expected, sorted, answers), runs: sorted };
    }),
  );
}

function doorsOf({ sandbox, mode }: Asking, pod: string): DoorPair | undefined {
  const [namespace = '', name = ''] = pod.split('/');
  return sandbox.doors.find(namespace, name)?.[mode];
}

async function runClient(asking: Asking, { pod }: Expectation, client: AwsClient): Promise<ClientRun> {
  const began = systemClock.monotonic();
  const result = await attempt();
  return { client: client.name, result, millis: systemClock.monotonic() - began };

  async function attempt(): Promise<ClientResult> {
    const { sandbox, signal } = asking;
    const doors = doorsOf(asking, pod);
    if (!doors) return { kind: 'error', name: 'NoSuchPod', message: `${pod} does not run in the sandbox` };
    const env = podEnvironment(process.env, {
      metadataUrl: doors[client.imds],
      stsUrl: sandbox.urls.sts,
      region: sandbox.region,
    });
    const [file = '', ...args] = client.command;
    const ended = await runCommand(file, args, { env, bound: clientMillis, signal });
    if (ended.kind === 'failed') return { kind: 'error', name: ended.reason, message: ended.message };
    try {
      return client.read(ended.stdout, ended.stderr);
    } catch {
      return {
        kind: 'error',
        name: 'UnreadableOutput',
        message: (ended.stdout + ended.stderr).slice(0, 500),
      };
    }
  }
}
