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
/** Where V8's inspector would listen once SIGUSR1 opens it; nothing is opened before. */
const inspectorFlag = '--inspect-port=127.0.0.1:0';
/** What Kubernetes gives a pod to end. */
const terminationMillis = 30_000;
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
  /** Where profiles are to be had, if that was wished. */
  readonly profileUrl?: string;
  readonly telemetryUrl: string;
  /** The latest lines of its log. */
  readonly lines: readonly string[];
  stop(): Promise<void>;
  /** As kubelet does: asks it to end, and gives it half a minute. */
  terminate(): Promise<void>;
}

export interface AgentProcess {
  readonly pid: number;
  /** The metadata door. */
  readonly port: number;
  readonly url: string;
  /** Where profiles are to be had, if that was wished. */
  readonly profileUrl?: string;
  /** The latest lines of its log. */
  readonly lines: readonly string[];
  stop(): Promise<void>;
  /** As kubelet does: asks it to end, and gives it half a minute. */
  terminate(): Promise<void>;
}

export interface ServerOptions {
  /** Default: one that is free. */
  readonly grpcPort?: number;
  /** Whether it serves profiles. */
  readonly profiled?: boolean;
  /** Calls of STS per second. Default: as it ships. */
  readonly stsRate?: number;
  /** Whether sessions are shorter than STS gives any: else each would be refreshed all the time, as long before its end as one is. */
  readonly shortSessions?: boolean;
}

/** Starts `podpass server` as it runs in a cluster, and waits until it knows the pods. */
export async function startServer(cloud: Cloud, options: ServerOptions = {}): Promise<ServerProcess> {
  const [freePort = 0, telemetryPort = 0, profilePort = 0] = await freePorts(3);
  const { grpcPort = freePort } = options;
  const profiles = profilesOf(options.profiled === true, profilePort);
  const log = keepLines();
  const child = startChild({
    title: 'podpass server',
    command: [
      process.execPath,
      ...nodeFlags.server,
      inspectorFlag,
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
      ...(options.stsRate === undefined ? [] : [`--sts-rate=${options.stsRate}`]),
      ...(options.shortSessions ? ['--session-refresh=1s'] : []),
      ...profiles.flags,
    ],
    env: inClusterEnvironment(cloud),
    clock: systemClock,
    onLine: log.onLine,
  });
  const telemetryUrl = `http://${host}:${telemetryPort}`;
  await ready(child, `${telemetryUrl}/readyz`);
  return { pid: child.pid, grpcPort, telemetryUrl, lines: log.lines, ...profiles.at, ...endings(child) };
}

export interface AgentOptions {
  readonly node: string;
  readonly servers: readonly { readonly grpcPort: number }[];
  /** Default: the bundle. */
  readonly program?: keyof typeof programs;
  /** Default: one that is free. An agent that replaces another takes the same. */
  readonly port?: number;
  /** Whether it serves profiles. */
  readonly profiled?: boolean;
}

/** Starts `podpass standalone` as it runs in a cluster, and waits until its pods have credentials. */
export async function startStandalone(
  cloud: Cloud,
  { node, profiled = false }: Pick<AgentOptions, 'node' | 'profiled'>,
): Promise<AgentProcess> {
  const [port = 0, telemetryPort = 0, profilePort = 0] = await freePorts(3);
  const profiles = profilesOf(profiled, profilePort);
  const log = keepLines();
  const child = startChild({
    title: 'podpass standalone',
    command: [
      process.execPath,
      ...nodeFlags.agent,
      inspectorFlag,
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
      ...profiles.flags,
    ],
    env: inClusterEnvironment(cloud),
    clock: systemClock,
    onLine: log.onLine,
  });
  await ready(child, `http://${host}:${telemetryPort}/readyz`);
  const at = { port, url: `http://${host}:${port}`, ...profiles.at };
  return { pid: child.pid, lines: log.lines, ...at, ...endings(child) };
}

/** Starts `podpass agent` and waits until it knows its node's pods. */
export async function startAgent(cloud: Cloud, options: AgentOptions): Promise<AgentProcess> {
  const { port, telemetryPort, profiles, lines, child } = await launchAgent(cloud, options);
  await ready(child, `http://${host}:${telemetryPort}/readyz`);
  const at = { port, url: `http://${host}:${port}`, ...profiles.at };
  return { pid: child.pid, lines, ...at, ...endings(child) };
}

/** Starts `podpass agent` and waits for nothing. */
export async function launchAgent(
  cloud: Cloud,
  { node, servers, program = 'bundle', profiled = false, ...options }: AgentOptions,
): Promise<{
  readonly child: Child;
  readonly port: number;
  readonly telemetryPort: number;
  readonly profiles: Profiles;
  readonly lines: readonly string[];
}> {
  const [freePort = 0, telemetryPort = 0, profilePort = 0] = await freePorts(3);
  const { port = freePort } = options;
  const profiles = profilesOf(profiled, profilePort);
  const log = keepLines();
  const child = startChild({
    title: 'podpass agent',
    command: [
      process.execPath,
      ...nodeFlags.agent,
      inspectorFlag,
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
      ...profiles.flags,
    ],
    env: environment,
    clock: systemClock,
    onLine: log.onLine,
  });
  killAtExit(child.pid);
  return { child, port, telemetryPort, profiles, lines: log.lines };
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

interface Profiles {
  readonly flags: readonly string[];
  readonly at: { readonly profileUrl?: string };
}

/** By the product's own profile routes, so that nothing else is in the process than what an operator would have. */
function profilesOf(wished: boolean, port: number): Profiles {
  if (!wished) return { flags: [], at: {} };
  const address = `${host}:${port}`;
  return { flags: [`--pprof-listen-addr=${address}`], at: { profileUrl: `http://${address}/debug/pprof/` } };
}

/** The latest lines that a process writes: where its inspector says its address. */
function keepLines() {
  const lines: string[] = [];
  return {
    lines,
    onLine(line: string) {
      lines.push(line);
      if (lines.length > 200) lines.shift();
    },
  };
}

function endings(child: Child) {
  return { stop: () => stop(child), terminate: () => stop(child, terminationMillis) };
}

async function stop(child: Child, graceMillis = 2_000): Promise<void> {
  await child.stop(graceMillis);
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
