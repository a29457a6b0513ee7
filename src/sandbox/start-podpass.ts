import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import { startChild } from './child-process.ts';
import { findFreePorts } from './free-ports.ts';
import type { SandboxAws } from './start-aws.ts';
import type { Teardown } from './teardown.ts';

/** The processes of podpass, as flags and environment start them. */
export interface StartPodpassOptions {
  /** How podpass is run: `['node', 'podpass.mjs']`. */
  readonly podpass: readonly string[];
  /** What the processes inherit. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly host: string;
  readonly ports: PodpassPorts;
  readonly aws: SandboxAws;
  readonly kubeconfig: string;
  /** `--cert`, `--key` and `--ca` of each side. */
  readonly tlsFlags: { readonly server: readonly string[]; readonly agent: readonly string[] };
  readonly nodeName: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly teardown: Teardown;
  readonly onLine?: (process: PodpassTitle, line: string) => void;
}

/** Server and agent are one node's podpass together; standalone is all of another, for the same node. */
export type PodpassTitle = 'server' | 'agent' | 'standalone';

export interface PodpassPorts {
  readonly grpc: number;
  readonly agent: number;
  readonly serverTelemetry: number;
  readonly agentTelemetry: number;
  readonly standalone: number;
  readonly standaloneTelemetry: number;
}

export interface PodpassProcesses {
  readonly pids: Readonly<Record<PodpassTitle, number>>;
  readonly serverTelemetryUrl: string;
  readonly agentTelemetryUrl: string;
  readonly standaloneTelemetryUrl: string;
}

const readyMillis = 20_000;
const stopMillis = 5_000;

/**
 * Starts a server and an agent, beside them a standalone process, and waits until all are ready.
 *
 * @throws PodpassError ERR_SANDBOX with the last words of one that is not
 */
export async function startPodpass(options: StartPodpassOptions): Promise<PodpassProcesses> {
  const { podpass, env, host, ports, aws, kubeconfig, tlsFlags, nodeName, clock, signal, teardown } = options;

  async function run(title: PodpassTitle, telemetryPort: number, args: readonly string[], extra = {}) {
    const telemetry = `${host}:${telemetryPort}`;
    const child = startChild({
      title: `podpass ${title}`,
      command: [...podpass, title, '--until-stdin-ends', `--prometheus-listen-addr=${telemetry}`, ...args],
      env: { ...processEnvironment(env), ...extra },
      clock,
      onLine: (line) => options.onLine?.(title, line),
    });
    teardown.add(() => child.stop(stopMillis));
    await child.untilReady(`http://${telemetry}/readyz`, readyMillis, signal);
    return { pid: child.pid, telemetryUrl: `http://${telemetry}` };
  }

  // Whatever calls STS is the instance that roles trust. The other one's credentials are nobody's.
  const instance = { AWS_EC2_METADATA_SERVICE_ENDPOINT: aws.serverMetadataUrl };
  const [server, agent, standalone] = await Promise.all([
    run(
      'server',
      ports.serverTelemetry,
      [
        '--json-log',
        `--bind=${host}:${ports.grpc}`,
        ...tlsFlags.server,
        `--kubeconfig=${kubeconfig}`,
        '--role-base-arn-autodetect',
        `--metadata-endpoint=${aws.serverMetadataUrl}`,
        `--sts-endpoint=${aws.stsUrl}`,
        `--region=${aws.region}`,
      ],
      instance,
    ),
    run('agent', ports.agentTelemetry, [
      '--json-log',
      `--listen-host=${host}`,
      `--port=${ports.agent}`,
      ...tlsFlags.agent,
      `--server-address=localhost:${ports.grpc}`,
      `--node-name=${nodeName}`,
      `--metadata-endpoint=${aws.nodeMetadataUrl}`,
    ]),
    run(
      'standalone',
      ports.standaloneTelemetry,
      [
        '--log-format=json',
        `--listen-host=${host}`,
        `--app-port=${ports.standalone}`,
        `--node=${nodeName}`,
        `--kubeconfig=${kubeconfig}`,
        '--auto-discover-base-arn',
        '--namespace-restrictions',
        `--metadata-addr=${new URL(aws.nodeMetadataUrl).host}`,
        `--sts-endpoint=${aws.stsUrl}`,
        `--region=${aws.region}`,
      ],
      instance,
    ),
  ]);
  return {
    pids: { server: server.pid, agent: agent.pid, standalone: standalone.pid },
    serverTelemetryUrl: server.telemetryUrl,
    agentTelemetryUrl: agent.telemetryUrl,
    standaloneTelemetryUrl: standalone.telemetryUrl,
  };
}

/** Without what would give the server other AWS credentials, or podpass flags of the person's own. */
function processEnvironment(env: StartPodpassOptions['env']): Record<string, string> {
  const kept = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !/^(AWS_|PODPASS_|KUBE)/.test(entry[0]),
  );
  return {
    ...Object.fromEntries(kept),
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    NO_PROXY: '127.0.0.1,localhost',
  };
}

/** @throws PodpassError ERR_SANDBOX */
export async function findPodpassPorts(host: string, random: Random): Promise<PodpassPorts> {
  const [
    grpc = 0,
    agent = 0,
    serverTelemetry = 0,
    agentTelemetry = 0,
    standalone = 0,
    standaloneTelemetry = 0,
  ] = await findFreePorts(6, host, random);
  return { grpc, agent, serverTelemetry, agentTelemetry, standalone, standaloneTelemetry };
}
