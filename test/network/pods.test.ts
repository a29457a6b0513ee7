// Real agents on a real network: each pod is answered as itself, and as nobody else.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { runCommand } from '../../src/sandbox/run-command.ts';
import { suiteScope } from '../end-to-end/suite-scope.ts';
import { needs } from '../parts/availability.ts';
import { partPath } from '../parts/catalogue.ts';
import { assertIsItself } from './assert-is-itself.ts';
import { ipIn, setKernel } from './namespaces.ts';
import { agentPort, type Node, startNode } from './node.ts';
import { metadataIpv4, metadataIpv6 } from './topology.ts';
import type { NodePod } from './world.ts';

const bound = { timeout: 120_000 };
const tree = '/latest/meta-data/iam/security-credentials/';

const botoProgram = `
import boto3, json
found = boto3.Session().get_credentials().get_frozen_credentials()
print(json.dumps(dict(AccessKeyId=found.access_key, SecretAccessKey=found.secret_key, SessionToken=found.token)))
`;

for (const wiring of ['bridge', 'routed'] as const) {
  describe(`pods joined by ${wiring}`, needs('netns', 'nft'), () => {
    const scope = suiteScope();
    let node: Node;

    before(async () => {
      node = await startNode(scope, { wiring, pods: 3, prefix: 'eni' });
      await node.startAgent();
    }, bound);

    for (const host of [metadataIpv4, metadataIpv6]) {
      it(`are each answered as themselves at ${host}, with and without a session token`, bound, async () => {
        for (const pod of node.pods) {
          await assertIsItself(node, pod, host);
        }
        assert.deepEqual(node.wiretap.sources(), []);
      });
    }

    it("do not get a neighbour's role or session by asking for it", bound, async () => {
      const [pod, neighbour] = pair(node);
      const answer = await pod.worker.ask({ host: metadataIpv4, path: tree + neighbour.role });
      assert.ok(answer.kind === 'answered' && answer.status === 404, JSON.stringify(answer));
      const ttl = { 'x-aws-ec2-metadata-token-ttl-seconds': '300' };
      const put = { host: metadataIpv4, path: '/latest/api/token', method: 'PUT', headers: ttl };
      const token = await neighbour.worker.ask(put);
      assert.ok(token.kind === 'answered');
      const headers = { 'x-aws-ec2-metadata-token': token.body };
      const foreign = await pod.worker.ask({ host: metadataIpv4, path: tree, headers });
      assert.ok(foreign.kind === 'answered' && foreign.status === 401, JSON.stringify(foreign));
    });

    it("get nothing from a neighbour's address", bound, async () => {
      const [pod, neighbour] = pair(node);
      // It has the right to give itself an address, which pods do not have by default. Answers to that go to the
      // neighbour, so long as it does not also say on the wire that the address is its own.
      const { namespace } = pod.network;
      const { ipv4, ipv6 } = neighbour.network;
      for (const host of [metadataIpv4, metadataIpv6]) {
        for (const each of [pod, neighbour]) await each.worker.ask({ host, path: tree });
      }
      setKernel(namespace, { 'net.ipv4.conf.all.arp_ignore': 8, 'net.ipv4.conf.all.arp_announce': 0 });
      ipIn(namespace, [`address add ${ipv4}/32 dev eth0`, `address add ${ipv6}/128 dev eth0 nodad`]);
      for (const [host, from] of [
        [metadataIpv4, ipv4],
        [metadataIpv6, ipv6],
      ] as const) {
        const answer = await pod.worker.ask({ host, from, path: tree, boundMillis: 700 });
        assert.equal(answer.kind, 'failed', JSON.stringify(answer));
      }
      ipIn(namespace, [`address delete ${ipv4}/32 dev eth0`, `address delete ${ipv6}/128 dev eth0`]);
    });

    it('of the host network get nothing by its address', bound, async () => {
      const { nodeIpv4, nodeIpv6 } = node.topology;
      const hosts = ['127.0.0.1', '::1', nodeIpv4, nodeIpv6];
      const headers = { host: metadataIpv4 };
      const answers = await Promise.all(
        hosts.map((host) => node.host.ask({ host, port: agentPort, path: tree, headers })),
      );
      for (const answer of answers) {
        assert.ok(answer.kind === 'answered' && [404, 503].includes(answer.status), JSON.stringify(answer));
      }
    });
  });
}

describe('AWS clients that nobody tells anything', needs('netns', 'nft'), () => {
  const scope = suiteScope();
  let node: Node;
  let pod: NodePod;

  before(async () => {
    node = await startNode(scope, { pods: 1 });
    const [first] = node.pods;
    assert.ok(first);
    pod = first;
    await node.startAgent();
  }, bound);

  it('find their role with the AWS SDK for JavaScript, at either address', bound, async () => {
    for (const AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE of ['IPv4', 'IPv6']) {
      const found = await runInPod([process.execPath, join(import.meta.dirname, 'sdk-client.ts')], {
        AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE,
      });
      assert.match(await whoHas(found), new RegExp(`:assumed-role/${pod.role}/`));
    }
  });

  it('find their role with boto3', { ...bound, ...needs('boto3') }, async () => {
    const found = await runInPod([partPath('boto3'), '-c', botoProgram]);
    assert.match(await whoHas(found), new RegExp(`:assumed-role/${pod.role}/`));
  });

  async function runInPod(command: readonly string[], extra = {}): Promise<string> {
    const env = { PATH: process.env.PATH, AWS_CONFIG_FILE: '/dev/null', AWS_REGION: 'eu-west-1', ...extra };
    const args = ['netns', 'exec', pod.network.namespace, ...command];
    const ended = await runCommand(partPath('ip'), args, { env, bound: 20_000, signal: scope.signal });
    assert.ok(ended.kind === 'exited' && ended.status === 0, JSON.stringify(ended));
    return ended.stdout;
  }

  function whoHas(text: string): Promise<string> {
    const { SessionToken: Token, ...keys } = JSON.parse(text);
    return node.control.whoIs({ ...keys, Token });
  }
});

function pair({ pods }: Node): readonly [NodePod, NodePod] {
  const [first, second] = pods;
  assert.ok(first && second);
  return [first, second];
}
