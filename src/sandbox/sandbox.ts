import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PodpassError } from '../base/errors.ts';
import type { Random } from '../base/random.ts';
import { type Certificates, type CertifiedKey, createCertificates } from './certificates.ts';
import type { ClusterApi } from './cluster-api/create-cluster-api.ts';
import { startKubelet } from './kubelet.ts';
import { createPodDoors, type PodDoors } from './pod-doors.ts';
import { type SandboxAws, startAws } from './start-aws.ts';
import { startCluster } from './start-cluster.ts';
import {
  findPodpassPorts,
  type PodpassProcesses,
  type StartPodpassOptions,
  startPodpass,
} from './start-podpass.ts';
import type { Sts } from './sts/create-sts.ts';
import type { StsFault } from './sts/faults.ts';
import { readRolesFile } from './sts/roles-file.ts';
import { createTeardown, type Teardown } from './teardown.ts';

export interface SandboxOptions
  extends Pick<StartPodpassOptions, 'podpass' | 'env' | 'clock' | 'signal' | 'onLine'> {
  /** Folder with the objects of the cluster and, beside them, `roles.yaml`. */
  readonly manifests: string;
  /** For certificates and the kubeconfig; a folder of its own is made in it and removed at the end. */
  readonly temporaryFolder: string;
  readonly random: Random;
  /** What the STS does wrong from the start. Default: nothing. */
  readonly stsFaults?: readonly StsFault[];
}

/** A whole podpass on loopback: cluster, STS, server and agent, and a standalone process beside them. */
export interface Sandbox {
  readonly cluster: ClusterApi;
  readonly sts: Sts;
  /** The stand-in for the metadata service of the node that pods run on. */
  readonly nodeMetadata: SandboxAws['node'];
  readonly doors: PodDoors;
  readonly region: string;
  readonly urls: {
    readonly cluster: string;
    readonly sts: string;
    readonly agent: string;
    readonly serverTelemetry: string;
    readonly agentTelemetry: string;
    readonly standalone: string;
    readonly standaloneTelemetry: string;
    /** What pods must never reach. */
    readonly nodeMetadata: string;
  };
  /** Path of a file with which `kubectl` may do everything. */
  readonly kubeconfig: string;
  readonly pids: PodpassProcesses['pids'];
  close(): Promise<void>;
}

const host = '127.0.0.1';
const nodeName = 'sandbox-node';

/**
 * Starts a sandbox. Everything listens on loopback and ends with `close`.
 *
 * @throws PodpassError ERR_SANDBOX when manifests or roles cannot be used, or a process does not start.
 */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const teardown = createTeardown();
  try {
    return await start(options, teardown);
  } catch (error) {
    await teardown.run();
    throw error;
  }
}

async function start(options: SandboxOptions, teardown: Teardown): Promise<Sandbox> {
  const { manifests, clock, random } = options;
  if (process.platform !== 'linux') {
    throw new PodpassError(
      'ERR_SANDBOX',
      `the sandbox gives pods addresses in 127.0.0.0/8, which only Linux has as a whole; this is ${process.platform}.`,
    );
  }
  const roles = await readRolesFile(join(manifests, 'roles.yaml'));
  const folder = await mkdtemp(join(options.temporaryFolder, 'podpass-sandbox-'));
  teardown.add(() => rm(folder, { recursive: true, force: true }));
  const serverNames = ['localhost', 'podpass-server', host];
  const certificates = await createCertificates({ clock, random, serverNames, validDays: 30 });

  const aws = await startAws({ roles, host, clock, random, teardown, stsFaults: options.stsFaults ?? [] });
  const cluster = await startCluster({ manifests, folder, certificates, host, clock, random, teardown });

  const ports = await findPodpassPorts(host, random);
  const doors = createPodDoors({
    to: { split: { host, port: ports.agent }, standalone: { host, port: ports.standalone } },
  });
  teardown.add(doors.close);
  const stopKubelet = startKubelet({
    store: cluster.api.store,
    clock,
    nodeName,
    nodeAddress: host,
    onRunning: doors.open,
    onGone: doors.shut,
  });
  teardown.add(stopKubelet);
  await doors.settled();

  const tlsFlags = await writeCertificates(folder, certificates);
  const { kubeconfig } = cluster;
  const podpass = await startPodpass({
    ...options,
    host,
    ports,
    aws,
    kubeconfig,
    tlsFlags,
    nodeName,
    teardown,
  });
  return {
    cluster: cluster.api,
    sts: aws.sts,
    nodeMetadata: aws.node,
    doors,
    region: aws.region,
    urls: {
      cluster: cluster.url,
      sts: aws.stsUrl,
      agent: `http://${host}:${ports.agent}`,
      serverTelemetry: podpass.serverTelemetryUrl,
      agentTelemetry: podpass.agentTelemetryUrl,
      standalone: `http://${host}:${ports.standalone}`,
      standaloneTelemetry: podpass.standaloneTelemetryUrl,
      nodeMetadata: aws.nodeMetadataUrl,
    },
    kubeconfig,
    pids: podpass.pids,
    close: teardown.run,
  };
}

/** The certificates of both sides as files, and the flags that name them. */
async function writeCertificates(folder: string, { ca, server, agent }: Certificates) {
  const caFile = join(folder, 'ca.pem');
  await writeFile(caFile, ca);
  async function write(name: string, { cert, key }: CertifiedKey): Promise<readonly string[]> {
    const certFile = join(folder, `${name}.pem`);
    const keyFile = join(folder, `${name}-key.pem`);
    await writeFile(certFile, cert);
    await writeFile(keyFile, key, { mode: 0o600 });
    return [`--cert=${certFile}`, `--key=${keyFile}`, `--ca=${caFile}`];
  }
  return { server: await write('server', server), agent: await write('agent', agent) };
}
