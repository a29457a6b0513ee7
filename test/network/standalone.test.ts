// The one process of a node that was kube2iam's, with kube2iam's arguments, on a real network.
import assert from 'node:assert/strict';
import { before, beforeEach, describe, it } from 'node:test';
import { eventually } from '../end-to-end/eventually.ts';
import { suiteScope } from '../end-to-end/suite-scope.ts';
import { needs } from '../parts/availability.ts';
import { assertIsItself } from './assert-is-itself.ts';
import { nodeRole } from './metadata-worker.ts';
import { runIn, setKernel } from './namespaces.ts';
import type { NamespacedPodpass } from './podpass-in-namespace.ts';
import { startStandalone } from './standalone-in-world.ts';
import { metadataIpv4, metadataIpv6, nodeIpv4, nodeIpv6 } from './topology.ts';
import { fewRetries, underLoad } from './under-load.ts';
import { startWorld, type World } from './world.ts';

const bound = { timeout: 120_000 };
const hosts = [metadataIpv4, metadataIpv6];
const tree = '/latest/meta-data/iam/security-credentials/';
const port = 8181;

describe('podpass standalone with --host-interface=eni+', needs('netns', 'nft'), () => {
  const scope = suiteScope();
  let world: World;
  let standalone: NamespacedPodpass;
  // The first call of STS after a restart takes a busy machine longer than the 800 ms for which SDKs can be held.
  const start = () => startStandalone(scope, world, ['--host-interface=eni+', '--pod-wait=2s']);

  before(async () => {
    world = await startWorld(scope, { wiring: 'routed', prefix: 'eni', pods: 2 });
    standalone = await start();
  }, bound);

  beforeEach(() => world.wiretap.forget());

  /** As a DaemonSet with `maxSurge`. */
  async function upgrade(): Promise<void> {
    const next = await start();
    await standalone.terminate();
    standalone = next;
  }

  for (const host of hosts) {
    it(`answers each pod as itself at ${host}`, bound, async () => {
      for (const pod of world.pods) await assertIsItself(world, pod, host);
      assert.deepEqual(world.wiretap.sources(), []);
    });

    it(`has nothing of the node's role at ${host}`, bound, async () => {
      for (const path of [
        tree + nodeRole,
        '/latest/meta-data/iam/info',
        '/latest/meta-data/identity-credentials/ec2/security-credentials/ec2-instance',
        '/latest/user-data',
        '/latest/dynamic/instance-identity/pkcs7',
      ]) {
        const answer = await world.pods[0]?.worker.ask({ host, path });
        assert.ok(answer?.kind === 'answered' && answer.status >= 400, `${path}: ${JSON.stringify(answer)}`);
        assert.ok(!answer.body.includes(nodeRole), path);
      }
      assert.deepEqual(world.wiretap.sources(), []);
    });
  }

  it('asks by itself for what a pod may know of the instance', bound, async () => {
    const path = '/latest/meta-data/instance-id';
    const answer = await world.pods[0]?.worker.ask({ host: metadataIpv4, path });
    assert.deepEqual(answer, { kind: 'answered', status: 200, body: 'i-0fedcba9876543210' });
    assert.deepEqual(world.wiretap.sources(), [nodeIpv4]);
  });

  it('gives the host network nothing by its address', bound, async () => {
    for (const host of ['127.0.0.1', '::1', nodeIpv4, nodeIpv6]) {
      const answer = await world.host.ask({ host, port, path: tree, headers: { host: metadataIpv4 } });
      assert.ok(answer.kind === 'answered' && [404, 503].includes(answer.status), JSON.stringify(answer));
    }
  });

  it('is replaced without a failed request', bound, async () => {
    // With this the kernel hands what one listener leaves behind to the other.
    setKernel(world.topology.node, { 'net.ipv4.tcp_migrate_req': 1 });
    const { failed, retried } = await underLoad(world, {}, async () => {
      for (let round = 0; round < 2; round++) await upgrade();
    });
    assert.deepEqual({ failed, retried }, { failed: [], retried: 0 });
  });

  it('is replaced without a failed request of clients that try twice, on any kernel', bound, async () => {
    setKernel(world.topology.node, { 'net.ipv4.tcp_migrate_req': 0 });
    const { failed, retried } = await underLoad(world, { retries: 1 }, upgrade);
    assert.deepEqual(failed, []);
    assert.ok(retried <= fewRetries, `${retried} needed a second try`);
  });

  it('is restarted without a failed request of clients that wait', bound, async () => {
    const { failed } = await underLoad(world, {}, async () => {
      await standalone.terminate();
      standalone = await start();
    });
    assert.deepEqual(failed, []);
  });

  it('is killed, and clients that try twice do not notice', bound, async () => {
    const { failed } = await underLoad(world, { retries: 1 }, async () => {
      await standalone.kill();
      standalone = await start();
    });
    assert.deepEqual(failed, []);
  });

  it('takes the session tokens of the process before it', bound, async () => {
    const [pod] = world.pods;
    assert.ok(pod);
    const token = await pod.worker.ask({
      host: metadataIpv4,
      path: '/latest/api/token',
      method: 'PUT',
      headers: { 'x-aws-ec2-metadata-token-ttl-seconds': '300' },
    });
    assert.ok(token.kind === 'answered' && token.status === 200);
    await upgrade();
    const headers = { 'x-aws-ec2-metadata-token': token.body };
    const list = await pod.worker.ask({ host: metadataIpv4, path: tree, headers });
    assert.deepEqual(list, { kind: 'answered', status: 200, body: pod.role });
  });
});

describe('podpass standalone without --host-interface', needs('netns', 'nft'), () => {
  const scope = suiteScope();

  it('takes all interfaces but that of the default route', bound, async () => {
    const world = await startWorld(scope, { wiring: 'bridge', pods: 2 });
    const { log } = await startStandalone(scope, world, []);
    assert.ok(log.some(({ msg, interfaces }) => msg === 'configuring iptables' && interfaces === '!eth0'));
    for (const pod of world.pods) for (const host of hosts) await assertIsItself(world, pod, host);
    assert.deepEqual(world.wiretap.sources(), []);
  });
});

for (const tool of ['iptables-nft', 'iptables-legacy']) {
  describe(`podpass standalone and kube2iam's rule in ${tool}`, needs('netns', 'nft', 'iptables'), () => {
    const scope = suiteScope();
    let world: World;

    before(async () => {
      world = await startWorld(scope, { wiring: 'routed', prefix: 'eni', pods: 1 });
      rule('-A');
      await startStandalone(scope, world, ['--host-interface=eni+', '--firewall-check-interval=1s']);
    }, bound);

    const onNode = (script: string) => runIn(world.topology.node, 'sh', ['-c', script]);

    /** In kube2iam's words and their order. */
    const rule = (action: '-A' | '-C') =>
      onNode(
        `${tool} -t nat ${action} PREROUTING -p tcp -d ${metadataIpv4} --dport 80 -j DNAT --to-destination ${nodeIpv4}:${port} -i eni+ --wait`,
      );

    async function assertOneRule(): Promise<void> {
      const [pod] = world.pods;
      assert.ok(pod);
      assert.equal(onNode(`${tool} -t nat -S PREROUTING`).match(/169\.254\.169\.254/g)?.length, 1);
      assert.doesNotMatch(onNode('nft list tables'), /podpass/);
      // kube2iam would find it, too.
      rule('-C');
      await assertIsItself(world, pod, metadataIpv4);
      assert.deepEqual(world.wiretap.sources(), []);
    }

    it('keeps it and adds no other', bound, assertOneRule);

    it("survives kube2iam's hook, which takes away whatever names the address", bound, async () => {
      onNode(`${tool}-save | grep ${metadataIpv4} | sed 's/-A/${tool} -t nat -D/g' | sh 2>/dev/null; true`);
      assert.doesNotMatch(onNode(`${tool} -t nat -S PREROUTING`), /169\.254\.169\.254/);
      // Until it is repaired nothing gets out.
      await world.pods[0]?.worker.ask({ host: metadataIpv4, path: tree, boundMillis: 500 });
      assert.deepEqual(world.wiretap.sources(), []);
      await eventually(() => rule('-C'));
      await assertOneRule();
    });
  });
}
