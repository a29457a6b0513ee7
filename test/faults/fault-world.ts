import { permittedKey } from '../end-to-end/annotate.ts';
import { createHarness } from '../end-to-end/harness.ts';
import { type PodpassProcess, type RunOptions, startPodpass } from '../end-to-end/podpass-process.ts';
import { region, roleBaseArn } from '../end-to-end/small-aws.ts';
import { type Cluster, startCluster } from '../parts/cluster.ts';
import { freePorts } from '../parts/free-ports.ts';
import type { Scope } from '../parts/scope.ts';
import { bundle } from './bundle.ts';
import { namespace } from './cluster-writer.ts';
import type { DoorFacts, HistoryEvent } from './history.ts';
import type { Mortal } from './mortal.ts';
import { ownAwsEnv, type StsProcess, startSts } from './sts-process.ts';

/** A node, and where its pods ask. */
export interface Door extends DoorFacts {
  readonly nodeName: string;
  readonly port: number;
}

/** Everything as it runs in production, on loopback: each process its own, podpass as it ships. */
export interface FaultWorld {
  readonly cluster: Cluster;
  readonly doors: readonly Door[];
  readonly mortals: readonly Mortal[];
  readonly sts: StsProcess;
  /** As whoever feeds on servers needs them: their ports, and an agent's certificate. */
  readonly serverPorts: readonly number[];
  readonly agentTls: { readonly cert: string; readonly key: string; readonly ca: string };
  readonly processOf: (name: string) => PodpassProcess;
}

export interface FaultWorldOptions {
  readonly record: (event: HistoryEvent) => void;
  readonly servers: number;
  readonly agents: number;
  readonly standalone: boolean;
  readonly stsMillis: number;
  /** How servers are run, where that is not as always. */
  readonly serverRun?: RunOptions;
}

export async function startFaultWorld(scope: Scope, options: FaultWorldOptions): Promise<FaultWorld> {
  const { record } = options;
  const program = await bundle();
  const [cluster, harness, sts] = await Promise.all([
    startCluster(scope),
    createHarness(scope, program),
    startSts(scope, record, options.stsMillis),
  ]);
  await cluster.createNamespace(namespace, { [permittedKey]: '.*' });

  const mortals: Mortal[] = [];
  const doors: Door[] = [];
  const processes = new Map<string, PodpassProcess>();

  async function addPodpass(name: string, launch: () => Promise<PodpassProcess>): Promise<void> {
    const start = async () => {
      const process = await launch();
      processes.set(name, process);
      await process.untilReady();
    };
    const process = () => processes.get(name);
    mortals.push({
      name,
      start,
      kill: async () => process()?.kill(),
      get ended() {
        return process()?.ended;
      },
    });
    await start();
  }

  const servers = names('server', options.servers);
  const ports = await freePorts(options.servers + options.agents + 1);
  const serverPorts = ports.splice(0, options.servers);
  for (const [i, name] of servers.entries())
    await addPodpass(name, () =>
      harness.startServer({
        kubeconfig: cluster.kubeconfig,
        stsUrl: sts.url,
        env: ownAwsEnv,
        port: serverPorts[i] ?? 0,
        flags: ['--level=info', '--sts-rate=600'],
        ...(options.serverRun && { run: options.serverRun }),
      }),
    );
  for (const [i, name] of names('agent', options.agents).entries()) {
    const port = ports[i] ?? 0;
    const nodeName = `node-${i + 1}`;
    doors.push({ name, nodeName, port, forgets: false, issuers: servers });
    // Longer than a client waits: on a busy machine nothing is to be answered 503 for lack of time alone.
    const flags = ['--level=info', '--pod-wait=3s'];
    await addPodpass(name, () => harness.startAgent({ nodeName, serverPorts, port, flags }));
  }
  if (options.standalone) {
    const name = 'standalone';
    const port = ports.at(-1) ?? 0;
    const nodeName = 'node-alone';
    doors.push({ name, nodeName, port, forgets: true, issuers: [name] });
    await addPodpass(name, () =>
      startPodpass({
        scope,
        program,
        command: 'standalone',
        env: ownAwsEnv,
        flags: [
          '--log-level=info',
          `--kubeconfig=${cluster.kubeconfig}`,
          `--node=${nodeName}`,
          '--listen-host=127.0.0.1',
          `--app-port=${port}`,
          `--base-role-arn=${roleBaseArn}`,
          `--sts-endpoint=${sts.url}`,
          '--sts-rate=600',
          `--region=${region}`,
          '--metadata-addr=127.0.0.1:9',
          '--pod-wait=3s',
        ],
      }),
    );
  }
  mortals.push(
    {
      name: 'sts',
      kill: sts.kill,
      start: sts.start,
      get ended() {
        return sts.ended;
      },
    },
    {
      name: 'kube-apiserver',
      kill: cluster.stopApiServer,
      start: () => cluster.startApiServer(),
      ended: undefined,
    },
    { name: 'etcd', kill: cluster.stopEtcd, start: cluster.startEtcd, ended: undefined },
  );
  return {
    cluster,
    doors,
    mortals,
    sts,
    serverPorts,
    agentTls: filesOf(harness.tls.agent),
    processOf(name) {
      const process = processes.get(name);
      if (process === undefined) throw new Error(`there is no ${name}`);
      return process;
    },
  };
}

/** The values of `--cert=FILE` and so on. */
function filesOf(flags: readonly string[]) {
  const [cert = '', key = '', ca = ''] = flags.map((flag) => flag.slice(flag.indexOf('=') + 1));
  return { cert, key, ca };
}

function names(kind: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${kind}-${i + 1}`);
}
