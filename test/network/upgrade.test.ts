// The agent is replaced, restarted and killed while its pods ask without a pause. A failed request is a failed
// application, and an answer of the node's own metadata would be a breach.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { suiteScope } from '../end-to-end/suite-scope.ts';
import { needs } from '../parts/availability.ts';
import { partPath } from '../parts/catalogue.ts';
import { runIn, setKernel } from './namespaces.ts';
import { type Node, startNode } from './node.ts';
import type { NamespacedPodpass } from './podpass-in-namespace.ts';
import { metadataIpv4 } from './topology.ts';
import { fewRetries, underLoad } from './under-load.ts';

const bound = { timeout: 120_000 };
const tree = '/latest/meta-data/iam/security-credentials/';

describe('an agent under load', needs('netns', 'nft'), () => {
  const scope = suiteScope();
  let node: Node;
  let agent: NamespacedPodpass;

  before(async () => {
    node = await startNode(scope, { pods: 2 });
    agent = await node.startAgent();
  }, bound);

  /** As a DaemonSet with `maxSurge`: the old one is asked to end when the new one is ready. */
  async function upgrade(): Promise<void> {
    const next = await node.startAgent();
    await agent.terminate();
    agent = next;
  }

  it('is replaced without a failed request', bound, async () => {
    // With this the kernel hands what one listener leaves behind to the other.
    setKernel(node.topology.node, { 'net.ipv4.tcp_migrate_req': 1 });
    const { failed, retried } = await underLoad(node, {}, async () => {
      for (let round = 0; round < 3; round++) await upgrade();
    });
    assert.deepEqual({ failed, retried }, { failed: [], retried: 0 });
  });

  it('is replaced without a failed request of clients that try twice, on any kernel', bound, async () => {
    setKernel(node.topology.node, { 'net.ipv4.tcp_migrate_req': 0 });
    const { failed, retried } = await underLoad(node, { retries: 1 }, async () => {
      for (let round = 0; round < 3; round++) await upgrade();
    });
    assert.deepEqual(failed, []);
    assert.ok(retried <= fewRetries, `${retried} needed a second try`);
  });

  it('is restarted without a failed request of clients that wait', bound, async () => {
    const { failed } = await underLoad(node, {}, async () => {
      await agent.terminate();
      // Nothing of its own may be in the way of another tool's agent.
      const table = runIn(node.topology.node, partPath('nft'), ['list', 'table', 'inet', 'podpass']);
      assert.doesNotMatch(table, /hold_newcomers/);
      agent = await node.startAgent();
    });
    assert.deepEqual(failed, []);
  });

  it('is killed, and clients that try twice do not notice', bound, async () => {
    const { failed } = await underLoad(node, { retries: 1 }, async () => {
      await agent.kill();
      agent = await node.startAgent();
    });
    assert.deepEqual(failed, []);
  });

  it('takes the session tokens of the agents before it', bound, async () => {
    const [pod] = node.pods;
    assert.ok(pod);
    const ttl = { 'x-aws-ec2-metadata-token-ttl-seconds': '300' };
    const token = await pod.worker.ask({
      host: metadataIpv4,
      path: '/latest/api/token',
      method: 'PUT',
      headers: ttl,
    });
    assert.ok(token.kind === 'answered' && token.status === 200);
    const read = () =>
      pod.worker.ask({ host: metadataIpv4, path: tree, headers: { 'x-aws-ec2-metadata-token': token.body } });
    const own = { kind: 'answered', status: 200, body: pod.role };
    await upgrade();
    assert.deepEqual(await read(), own);
    await agent.kill();
    agent = await node.startAgent();
    assert.deepEqual(await read(), own);
  });
});
