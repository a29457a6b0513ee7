import { permittedKey, roleKey } from '../end-to-end/annotate.ts';
import { eventually } from '../end-to-end/eventually.ts';
import { createHarness, type Harness, type PodpassAgent, type PodpassServer } from '../end-to-end/harness.ts';
import type { RunOptions } from '../end-to-end/podpass-process.ts';
import { type SmallAws, startSmallAws } from '../end-to-end/small-aws.ts';
import { type SmallCluster, startSmallCluster } from '../end-to-end/small-cluster.ts';
import type { Scope } from '../parts/scope.ts';
import { bundle } from './bundle.ts';

/** A server as it ships, and one node of pods. Cluster and STS are the sandbox's, in this process. */
export interface SmallWorld {
  readonly harness: Harness;
  readonly cluster: SmallCluster;
  readonly aws: SmallAws;
  readonly server: PodpassServer;
  readonly nodeName: string;
  /** Resolves when it is ready. */
  startAgent(run?: RunOptions, flags?: readonly string[]): Promise<PodpassAgent>;
  /** One running pod of the node, bound to the role that is named as it is. */
  addPod(podIP: string): Promise<void>;
  /** @throws Error naming the first pod that gets no credentials of its own */
  untilServed(agent: PodpassAgent, addresses: readonly string[]): Promise<void>;
}

const nodeName = 'node-1';

/** The role of the pod at an address: each has its own. */
export function roleOf(address: string): string {
  return `pod-${address.replaceAll('.', '-')}`;
}

/** @param addresses of the pods that there are from the beginning, or will be */
export async function createSmallWorld(scope: Scope, addresses: readonly string[]): Promise<SmallWorld> {
  const harness = await createHarness(scope, await bundle());
  const aws = await startSmallAws(scope, addresses.map(roleOf));
  const cluster = await startSmallCluster(scope, harness);
  await cluster.createNamespace('team', { [permittedKey]: '.*' });

  async function addPod(podIP: string): Promise<void> {
    const annotations = { [roleKey]: roleOf(podIP) };
    const hostIP = '127.0.0.1';
    await cluster.createPod({
      name: roleOf(podIP),
      namespace: 'team',
      annotations,
      nodeName,
      podIP,
      hostIP,
    });
  }

  for (const address of addresses) await addPod(address);
  const server = await harness.startServer({
    kubeconfig: cluster.kubeconfig,
    stsUrl: aws.url,
    env: aws.serverEnv,
    flags: ['--sts-rate=600'],
  });
  await server.untilReady();
  return {
    harness,
    cluster,
    aws,
    server,
    nodeName,
    addPod,
    async startAgent(run = {}, flags = []) {
      const agent = await harness.startAgent({ nodeName, serverPorts: [server.port], run, flags });
      await agent.untilReady();
      return agent;
    },
    async untilServed(agent, wanted) {
      for (const address of wanted) {
        await eventually(async () => {
          const { status, role, body } = await agent.ask(address);
          if (status !== 200 || role !== roleOf(address))
            throw new Error(`${address} got ${status}: ${body}`);
        });
      }
    },
  };
}
