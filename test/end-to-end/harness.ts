import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../parts/free-ports.ts';
import { type Scope, stopWith } from '../parts/scope.ts';
import { callerAt, type PodCaller } from './ask-agent.ts';
import { type PodpassProcess, type RunOptions, startPodpass } from './podpass-process.ts';
import { region, roleBaseArn } from './small-aws.ts';
import { type TlsFiles, writeTlsFiles } from './tls-files.ts';

export interface ServerOptions {
  readonly kubeconfig: string;
  readonly stsUrl: string;
  readonly env: Readonly<Record<string, string>>;
  /** An address of loopback. Default: 127.0.0.1. */
  readonly host?: string;
  /** Where it listened before it was killed. Default: a free one. */
  readonly port?: number;
  readonly flags?: readonly string[];
  readonly run?: RunOptions;
}

export interface AgentOptions {
  readonly nodeName: string;
  /** The ports of its servers, in order. */
  readonly serverPorts: readonly number[];
  readonly port?: number;
  readonly flags?: readonly string[];
  readonly run?: RunOptions;
}

export type PodpassServer = PodpassProcess & { readonly port: number };
/** An agent, and the pods of this machine that ask it. */
export type PodpassAgent = PodpassProcess & PodCaller & { readonly port: number };

/** Starts the real processes from `src/main.ts`, with certificates of their own, in a folder that goes with the scope. */
export interface Harness {
  readonly folder: string;
  readonly tls: TlsFiles;
  /** Resolves when the process runs, which may be long before it is ready. */
  startServer(options: ServerOptions): Promise<PodpassServer>;
  startAgent(options: AgentOptions): Promise<PodpassAgent>;
  /** All that was started so far, also what has ended since. */
  readonly processes: readonly PodpassProcess[];
}

/** @param program what is run. Default: the sources as they are */
export async function createHarness(scope: Scope, program?: string): Promise<Harness> {
  const folder = await mkdtemp(join(tmpdir(), 'podpass-end-to-end-'));
  stopWith(scope, () => rm(folder, { recursive: true, force: true }));
  const tls = await writeTlsFiles(folder);
  const processes: PodpassProcess[] = [];

  async function portOr(given: number | undefined): Promise<number> {
    if (given !== undefined) return given;
    const [port = 0] = await freePorts(1);
    return port;
  }

  return {
    folder,
    tls,
    processes,
    async startServer({ kubeconfig, stsUrl, env, host = '127.0.0.1', port: given, flags = [], run }) {
      const port = await portOr(given);
      const process = await startPodpass({
        scope,
        ...(program !== undefined && { program }),
        ...run,
        command: 'server',
        flags: [
          ...tls.server,
          `--bind=${host}:${port}`,
          `--kubeconfig=${kubeconfig}`,
          `--role-base-arn=${roleBaseArn}`,
          `--sts-endpoint=${stsUrl}`,
          `--region=${region}`,
          ...flags,
        ],
        env,
      });
      processes.push(process);
      return Object.assign(process, { port });
    },
    async startAgent({ nodeName, serverPorts, port: given, flags = [], run }) {
      const port = await portOr(given);
      const process = await startPodpass({
        scope,
        ...(program !== undefined && { program }),
        ...run,
        command: 'agent',
        flags: [
          ...tls.agent,
          '--listen-host=127.0.0.1',
          `--port=${port}`,
          `--node-name=${nodeName}`,
          `--server-address=${serverPorts.map((serverPort) => `localhost:${serverPort}`).join(',')}`,
          // Nobody answers there: the real one must never be asked.
          '--metadata-endpoint=http://127.0.0.1:9',
          ...flags,
        ],
      });
      processes.push(process);
      return Object.assign(process, { port }, callerAt(port));
    },
  };
}
