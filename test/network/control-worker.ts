// What a node talks to beside its pods: a cluster API and an STS, on the loopback of the namespace it runs in.
import { annotatePod, permittedKey, roleKey } from '../end-to-end/annotate.ts';
import type { ServedCredentials } from '../end-to-end/ask-agent.ts';
import { type SmallAws, startSmallAws, whoIs } from '../end-to-end/small-aws.ts';
import { type SmallCluster, startSmallCluster } from '../end-to-end/small-cluster.ts';
import { writeTlsFiles } from '../end-to-end/tls-files.ts';
import type { PodOptions } from '../parts/cluster-objects.ts';
import { serveCommands } from './worker.ts';

export const namespace = 'team';

/** For as long as the process lives. */
const scope = { signal: new AbortController().signal };
let cluster: SmallCluster;
let aws: SmallAws;

const commands = {
  /** @param folder for files, which the test removes */
  async start(folder: string, roleNames: readonly string[]) {
    const tls = await writeTlsFiles(folder);
    aws = await startSmallAws(scope, roleNames);
    cluster = await startSmallCluster(scope, { folder, tls });
    await cluster.createNamespace(namespace, { [permittedKey]: '.*' });
    return {
      kubeconfig: cluster.kubeconfig,
      stsUrl: aws.url,
      serverEnv: aws.serverEnv,
      serverTls: tls.server,
      agentTls: tls.agent,
    };
  },
  async createPod({ role, ...pod }: Omit<PodOptions, 'namespace' | 'annotations'> & { role?: string }) {
    const annotations = role === undefined ? {} : { [roleKey]: role };
    await cluster.createPod({ ...pod, namespace, annotations });
  },
  deletePod: (name: string) => cluster.deletePod(namespace, name),
  setRole: (name: string, role: string) => annotatePod(cluster, namespace, name, { [roleKey]: role }),
  /** The ARN of the session that the credentials are of. */
  whoIs: (credentials: ServedCredentials) => whoIs(aws.url, credentials),
};

export type ControlCommands = typeof commands;

if (process.send) serveCommands(commands);
