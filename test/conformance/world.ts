import type { StsFault } from '../../src/sandbox/sts/faults.ts';
import { listenSts } from '../../src/sandbox/sts/listen-sts.ts';
import { account } from '../../src/sandbox/sts/sts.fixture.ts';
import { annotateNamespace, annotatePod, permittedKey, roleKey } from '../end-to-end/annotate.ts';
import { eventually } from '../end-to-end/eventually.ts';
import { createHarness, type PodpassAgent } from '../end-to-end/harness.ts';
import { roleBaseArn, startSmallAws } from '../end-to-end/small-aws.ts';
import { startSmallCluster } from '../end-to-end/small-cluster.ts';
import { type Scope, stopWith } from '../parts/scope.ts';

/** Agents of one node, side by side. `successor` is the process that another one is replaced by. */
export type AgentName = 'v2-preferred' | 'v2-required' | 'successor';

/** One pod of the node, and the role it has or is to have. */
export interface Pod {
  readonly name: string;
  readonly namespace: string;
  readonly address: string;
  readonly role: string;
  /** Who its credentials make it. */
  readonly arn: string;
}

/** A cluster, an STS and the real podpass on loopback. */
export interface World {
  portOf(agent: AgentName): number;
  /** An address and a name; nothing is created. `name` is also the role's, and one of those the world was made with. */
  planPod(name: string): Pod;
  /** In a namespace of its own that permits its role, unless it is not to. */
  createNamespace(pod: Pod, permitted?: boolean): Promise<void>;
  createPod(pod: Pod, withRole?: boolean): Promise<void>;
  /** Binds the pod to its role, or has its namespace permit it. */
  annotate(pod: Pod, what: 'pod' | 'namespace'): Promise<void>;
  deletePod(pod: Pod): Promise<void>;
  /** Resolves when every agent serves it. */
  untilServed(pod: Pod): Promise<void>;
  /** Faults of STS for the calls that get the pod's credentials. */
  addStsFault(pod: Pod, fault: StsFault): void;
  /** An address of STS at which the ids of the keys that calls are signed with are told. */
  openSts(scope: Scope, onKey: (accessKeyId: string) => void): Promise<string>;
}

const nodeName = 'node-1';
const settings: Readonly<Record<AgentName, string>> = {
  'v2-preferred': 'v2-preferred',
  'v2-required': 'v2-required',
  successor: 'v2-preferred',
};

/** @param roleNames roles that pods may be bound to */
export async function startWorld(scope: Required<Scope>, roleNames: readonly string[]): Promise<World> {
  const harness = await createHarness(scope);
  const [aws, cluster] = await Promise.all([
    startSmallAws(scope, roleNames),
    startSmallCluster(scope, harness),
  ]);
  const server = await harness.startServer({
    kubeconfig: cluster.kubeconfig,
    stsUrl: aws.url,
    env: aws.serverEnv,
  });
  await server.untilReady();
  const agents = new Map<AgentName, PodpassAgent>();
  for (const [name, imds] of Object.entries(settings) as [AgentName, string][]) {
    const agent = await harness.startAgent({
      nodeName,
      serverPorts: [server.port],
      flags: [`--imds=${imds}`],
    });
    await agent.untilReady();
    agents.set(name, agent);
  }
  let lastAddress = 0;

  return {
    portOf: (agent) => agents.get(agent)?.port ?? 0,
    planPod(name) {
      lastAddress += 1;
      return {
        name,
        namespace: name,
        address: `127.94.${lastAddress >> 8}.${lastAddress & 255}`,
        role: name,
        arn: `arn:aws:sts::${account}:assumed-role/${name}/kiam-kiam`,
      };
    },
    async createNamespace({ namespace }, permitted = true) {
      await cluster.createNamespace(namespace, permitted ? { [permittedKey]: '.*' } : {});
    },
    async createPod({ name, namespace, address, role }, withRole = true) {
      const annotations = withRole ? { [roleKey]: role } : {};
      await cluster.createPod({ name, namespace, annotations, nodeName, podIP: address });
    },
    annotate: ({ name, namespace, role }, what) =>
      what === 'pod'
        ? annotatePod(cluster, namespace, name, { [roleKey]: role })
        : annotateNamespace(cluster, namespace, { [permittedKey]: '.*' }),
    deletePod: ({ namespace, name }) => cluster.deletePod(namespace, name),
    async untilServed({ address }) {
      for (const agent of agents.values()) {
        await eventually(async () => {
          const { credentials, body } = await agent.ask(address, await agent.token(address));
          if (credentials === undefined) throw new Error(`the pod at ${address} is not served: ${body}`);
        });
      }
    },
    addStsFault: ({ role }, fault) => void aws.sts.faults.add({ ...fault, role: roleBaseArn + role }),
    async openSts(opener, onKey) {
      const { url, close } = await listenSts(
        (request, signal) => {
          const [, key] = /\bCredential=(\w+)\//.exec(request.headers.authorization ?? '') ?? [];
          if (key !== undefined) onKey(key);
          return aws.sts.handle(request, signal);
        },
        '127.0.0.1',
        0,
      );
      stopWith(opener, close);
      return url;
    },
  };
}
