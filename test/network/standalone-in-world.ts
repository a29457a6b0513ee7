import { join } from 'node:path';
import { region, roleBaseArn } from '../end-to-end/small-aws.ts';
import type { Scope } from '../parts/scope.ts';
import { type NamespacedPodpass, startPodpassIn } from './podpass-in-namespace.ts';
import { nodeIpv4 } from './topology.ts';
import { nodeName, type World } from './world.ts';

/** As kube2iam's manifests give them: one address, of IPv4. */
const node = ['--iptables=true', `--host-ip=${nodeIpv4}`, `--node=${nodeName}`];

let started = 0;

/** Starts `podpass standalone` on the node. Resolves when it is ready. */
export async function startStandalone(
  scope: Scope,
  { topology, access, host, folder }: World,
  flags: readonly string[],
): Promise<NamespacedPodpass> {
  started += 1;
  const process = startPodpassIn(scope, {
    namespace: topology.node,
    command: 'standalone',
    flags: [
      ...node,
      `--base-role-arn=${roleBaseArn}`,
      `--kubeconfig=${access.kubeconfig}`,
      `--sts-endpoint=${access.stsUrl}`,
      `--token-key-file=${join(folder, 'token-key')}`,
      ...flags,
    ],
    env: { ...access.serverEnv, AWS_REGION: region },
    telemetryPort: 9620 + started,
    neighbour: host,
  });
  await process.untilReady();
  return process;
}
