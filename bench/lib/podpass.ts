import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { systemClock } from '../../src/base/clock.ts';
import { type Child, startChild } from '../../src/sandbox/child-process.ts';
import { freePorts } from '../../test/parts/free-ports.ts';
import type { TlsFiles } from '../cloud/protocol.ts';
import type { Cloud } from '../cloud/start-cloud.ts';

const root = resolve(import.meta.dirname, '../..');
const host = '127.0.0.1';
const readyMillis = 60_000;
const serviceAccountImport = `--import=${join(root, 'bench/programs/service-account-folder.mjs')}`;

/** What is run: what ships, or the sources as they are. */
export const programs = {
  bundle: join(root, 'dist/podpass.mjs'),
  source: join(root, 'src/main.ts'),
} as const;

/** Flags of Node to try, beside what podpass sets by itself (`src/commands/small-heap.ts`). It needs none. */
export const nodeFlags = {
  agent: flagsFrom(process.env.PODPASS_BENCH_AGENT_FLAGS),
  server: flagsFrom(process.env.PODPASS_BENCH_SERVER_FLAGS),
} as const;

function flagsFrom(text = ''): readonly string[] {
  return text.split(' ').filter((flag) => flag !== '');
}

/** Builds what ships. */
export async function buildBundle(): Promise<void> {
  await promisify(execFile)(process.execPath, [join(root, 'scripts/build.ts')], {
    cwd: root,
    timeout: 120_000,
  });
}

export interface ServerProcess {
  readonly pid: number;
  readonly grpcPort: number;
  readonly telemetryUrl: string;
  /** The latest lines of its log. */
  readonly lines: readonly string[];
  stop(): Promise<void>;
}

export interface AgentProcess {
  readonly pid: number;
  /** The metadata door. */
  readonly port: number;
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts `podpass server` as it runs in a cluster, and waits until it knows the pods. */
export async function startServer(cloud: Cloud): Promise<ServerProcess> {
  const [grpcPort = 0, telemetryPort = 0] = await freePorts(2);
  const lines: string[] = [];
  const child = startChild({
    title: 'podpass server',
    command: [
      process.execPath,
      ...nodeFlags.server,
      '--inspect-port=127.0.0.1:0',
      serviceAccountImport,
      programs.bundle,
      'server',
      '--json-log',
      `--bind=${host}:${grpcPort}`,
      ...tlsFlags(cloud.serverTls),
      '--role-base-arn-autodetect',
      `--metadata-endpoint=${cloud.metadataUrl}`,
      `--sts-endpoint=${cloud.stsUrl}`,
      '--region=eu-west-1',
      `--prometheus-listen-addr=${host}:${telemetryPort}`,
    ],
    env: inClusterEnvironment(cloud),
    clock: systemClock,
    onLine: (line) => {
      lines.push(line);
      if (lines.length > 200) lines.shift();
    },
  });
  const telemetryUrl = `http://${host}:${telemetryPort}`;
  await ready(child, `${telemetryUrl}/readyz`);
  return { pid: child.pid, grpcPort, telemetryUrl, lines, stop: () => stop(child) };
}

export interface AgentOptions {
  readonly node: string;
  readonly servers: readonly { readonly grpcPort: number }[];
  /** Default: the bundle. */
  readonly program?: keyof typeof programs;
}

/** Starts `podpass standalone` as it runs in a cluster, and waits until its pods have credentials. */
export async function startStandalone(cloud: Cloud, node: string): Promise<AgentProcess> {
  const [port = 0, telemetryPort = 0] = await freePorts(2);
  const child = startChild({
    title: 'podpass standalone',
    command: [
      process.execPath,
      ...nodeFlags.agent,
      serviceAccountImport,
      programs.bundle,
      'standalone',
      '--log-format=json',
      `--listen-host=${host}`,
      `--app-port=${port}`,
      `--node=${node}`,
      '--auto-discover-base-arn',
      '--namespace-restrictions',
      `--metadata-addr=${new URL(cloud.metadataUrl).host}`,
      `--sts-endpoint=${cloud.stsUrl}`,
      // All of a node's identities at once, which is a start and no load.
      '--sts-rate=600',
      '--region=eu-west-1',
      `--prometheus-listen-addr=${host}:${telemetryPort}`,
    ],
    env: inClusterEnvironment(cloud),
    clock: systemClock,
  });
  await ready(child, `http://${host}:${telemetryPort}/readyz`);
  return { pid: child.pid, port, url: `http://${host}:${port}`, stop: () => stop(child) };
}

/** Starts `podpass agent` and waits until it knows its node's pods. */
export async function startAgent(cloud: Cloud, options: AgentOptions): Promise<AgentProcess> {
  const { port, telemetryPort, child } = await launchAgent(cloud, options);
  await ready(child, `http://${host}:${telemetryPort}/readyz`);
  return { pid: child.pid, port, url: `http://${host}:${port}`, stop: () => stop(child) };
}

/** Starts `podpass agent` and waits for nothing. */
export async function launchAgent(
  cloud: Cloud,
  { node, servers, program = 'bundle' }: AgentOptions,
): Promise<{ readonly child: Child; readonly port: number; readonly telemetryPort: number }> {
  const [port = 0, telemetryPort = 0] = await freePorts(2);
  const child = startChild({
    title: 'podpass agent',
    command: [
      process.execPath,
      ...nodeFlags.agent,
      programs[program],
      'agent',
      '--json-log',
      `--listen-host=${host}`,
      `--port=${port}`,
      ...tlsFlags(cloud.agentTls),
      ...servers.map(({ grpcPort }) => `--server-address=localhost:${grpcPort}`),
      `--node-name=${node}`,
      `--metadata-endpoint=${cloud.metadataUrl}`,
      `--prometheus-listen-addr=${host}:${telemetryPort}`,
    ],
    env: environment,
    clock: systemClock,
  });
  killAtExit(child.pid);
  return { child, port, telemetryPort };
}

/** Nothing of the person's own: no AWS settings, no kubeconfig, no options of Node. */
const environment = {
  PATH: process.env.PATH ?? '',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  NO_PROXY: '127.0.0.1,localhost',
};

/** As a pod with a service account on an instance has it. */
function inClusterEnvironment(cloud: Cloud) {
  return {
    ...environment,
    AWS_EC2_METADATA_SERVICE_ENDPOINT: cloud.metadataUrl,
    KUBERNETES_SERVICE_HOST: host,
    KUBERNETES_SERVICE_PORT: String(cloud.clusterPort),
    PODPASS_BENCH_SERVICE_ACCOUNT: cloud.serviceAccount,
  };
}

function tlsFlags({ cert, key, ca }: TlsFiles): string[] {
  return [`--cert=${cert}`, `--key=${key}`, `--ca=${ca}`];
}

async function ready(child: Child, url: string): Promise<void> {
  killAtExit(child.pid);
  try {
    await child.untilReady(url, readyMillis, new AbortController().signal);
  } catch (error) {
    await stop(child);
    throw error;
  }
}

async function stop(child: Child): Promise<void> {
  await child.stop(2_000);
  living.delete(child.pid);
}

/** A bench that is interrupted leaves nothing behind. */
const living = new Set<number>();
function killAtExit(pid: number): void {
  living.add(pid);
}
process.once('exit', () => {
  for (const pid of living) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
});
