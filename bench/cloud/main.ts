// A process that stands for Kubernetes and AWS: the sandbox's cluster API, its STS, and the metadata service of the
// machine that the server runs on. Its own process, so that its work and memory are nobody else's.
//
//     node bench/cloud/main.ts FOLDER

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock as clock } from '../../src/base/clock.ts';
import { systemRandom as random } from '../../src/base/random.ts';
import { type CertifiedKey, createCertificates } from '../../src/sandbox/certificates.ts';
import { createClusterApi } from '../../src/sandbox/cluster-api/create-cluster-api.ts';
import { type Resource, resources } from '../../src/sandbox/cluster-api/resources.ts';
import type { Outcome } from '../../src/sandbox/cluster-api/status.ts';
import { createEc2Metadata } from '../../src/sandbox/ec2-metadata/create-ec2-metadata.ts';
import { parseRoleArn } from '../../src/sandbox/sts/arn.ts';
import { createSts } from '../../src/sandbox/sts/create-sts.ts';
import { parseTrustPolicy } from '../../src/sandbox/sts/trust-policy.ts';
import { podNamespace, podObject } from './pod-object.ts';
import { type CloudCalls, type CloudMessage, type CloudRequest, machineMillis } from './protocol.ts';

const host = '127.0.0.1';
const account = '123456789012';
const serverRole = `arn:aws:iam::${account}:role/podpass-server`;
const folder = process.argv[2] ?? '';

// AWS.
const sts = createSts({ clock, random, roles: [] });
addRole('podpass-server', { Service: 'ec2.amazonaws.com' });
const { url: stsUrl } = await sts.listen(host, 0);
const metadata = await createEc2Metadata({
  clock,
  random,
  instance: {
    instanceId: 'i-0123456789abcdef0',
    accountId: account,
    roleArn: serverRole,
    region: 'eu-west-1',
    localIpv4: host,
    userData: '',
  },
  issueCredentials: () => sts.issueFor(serverRole, { sessionName: 'i-0123456789abcdef0' }),
  httpTokens: 'optional',
}).listen(host, 0);

// Kubernetes.
const certificates = await createCertificates({
  clock,
  random,
  serverNames: ['localhost', host],
  validDays: 2,
});
const adminToken = Buffer.from(random.bytes(24)).toString('base64url');
const cluster = createClusterApi({
  clock,
  random,
  adminToken,
  tls: certificates.server,
  historyLimit: 20_000,
});
const pods = resourceNamed('pods');
mustBeDone(
  cluster.store.create(resourceNamed('namespaces'), {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: podNamespace, annotations: { 'iam.amazonaws.com/permitted': '.*' } },
  }),
);
const { url: clusterUrl } = await cluster.listen(host, 0);

const latencies: (() => void)[] = [];

const calls: { [Method in keyof CloudCalls]: (argument: Parameters<CloudCalls[Method]>[0]) => unknown } = {
  async createPods(specs) {
    const moments: number[] = [];
    for (const spec of specs) {
      if (spec.role !== undefined) addRole(spec.role, { AWS: serverRole });
      mustBeDone(cluster.store.create(pods, podObject(spec)));
      moments.push(machineMillis());
      // Watches are told before the next one comes, as an API server with more than one thread would.
      await new Promise(setImmediate);
    }
    return moments;
  },
  deletePods(names) {
    for (const name of names) mustBeDone(cluster.store.delete(pods, podNamespace, name));
  },
  setStsLatency(millis) {
    for (const stop of latencies.splice(0)) stop();
    latencies.push(sts.faults.add({ kind: 'latency', millis, role: '*' }));
  },
  setSessionSeconds: (seconds) =>
    sts.faults.add({ kind: 'early-expiry', seconds, announced: true, role: '*' }),
  setListStreaming(on) {
    cluster.faults.watchList = on ? 'serve' : 'forbid';
  },
  countSessions: (prefix) => sessions(prefix).length,
  countSessionsByRole(prefix) {
    const counts: Record<string, number> = {};
    for (const role of sessions(prefix)) counts[role] = (counts[role] ?? 0) + 1;
    return counts;
  },
};

process.on('message', async ({ id, method, argument }: CloudRequest) => {
  try {
    // The types of method and argument belong together, which is lost in the table.
    const value = await (calls[method] as (argument: unknown) => unknown)(argument);
    send({ kind: 'answer', id, value: typeof value === 'function' ? undefined : value });
  } catch (error) {
    send({ kind: 'failure', id, message: error instanceof Error ? error.message : String(error) });
  }
});
process.on('disconnect', () => process.exit());

send({
  kind: 'ready',
  facts: {
    clusterPort: Number(new URL(clusterUrl).port),
    stsUrl,
    metadataUrl: metadata.url,
    serviceAccount: await writeServiceAccount(),
    serverTls: await writeTls('server', certificates.server),
    agentTls: await writeTls('agent', certificates.agent),
  },
});

function send(message: CloudMessage): void {
  process.send?.(message);
}

function sessions(rolePrefix: string): string[] {
  return sts.calls
    .filter(({ action, outcome }) => action === 'AssumeRole' && outcome === 'ok')
    .map(({ roleArn = '' }) => roleArn.slice(roleArn.indexOf('/') + 1))
    .filter((role) => role.startsWith(rolePrefix));
}

function addRole(name: string, trusted: Readonly<Record<string, string>>): void {
  const arn = parseRoleArn(`arn:aws:iam::${account}:role/${name}`);
  if (arn === undefined || sts.roles.has(arn.arn)) return;
  const trustPolicy = parseTrustPolicy({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: trusted, Action: 'sts:AssumeRole' }],
  });
  sts.roles.set(arn.arn, { arn, maxSessionDuration: 3_600, trustPolicy, mayAssume: [] });
}

function resourceNamed(plural: string): Resource {
  const found = resources.find((resource) => resource.plural === plural && resource.group === '');
  if (!found) throw new Error(`the sandbox knows no ${plural}`);
  return found;
}

function mustBeDone(outcome: Outcome<unknown>): void {
  if (outcome.kind !== 'done') throw new Error(JSON.stringify(outcome));
}

async function writeServiceAccount(): Promise<string> {
  const directory = join(folder, 'serviceaccount');
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'token'), adminToken, { mode: 0o600 });
  await writeFile(join(directory, 'ca.crt'), certificates.ca);
  return directory;
}

async function writeTls(name: string, { cert, key }: CertifiedKey) {
  const files = {
    cert: join(folder, `${name}.pem`),
    key: join(folder, `${name}-key.pem`),
    ca: join(folder, 'ca.pem'),
  };
  await writeFile(files.cert, cert);
  await writeFile(files.key, key, { mode: 0o600 });
  await writeFile(files.ca, certificates.ca);
  return files;
}
