// A full node: 110 pods, whose addresses change hands all the time.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { eventually } from '../end-to-end/eventually.ts';
import { suiteScope } from '../end-to-end/suite-scope.ts';
import { needs } from '../parts/availability.ts';
import { type Node, startNode } from './node.ts';
import type { PodAnswer } from './pod-worker.ts';
import { metadataIpv4, podAddresses } from './topology.ts';
import { nodeName } from './world.ts';

const bound = { timeout: 120_000 };
const tree = '/latest/meta-data/iam/security-credentials/';
const podCount = 110;
const roles = Array.from({ length: 10 }, (_, index) => `role-${index}`);
const roleOf = (number: number) => roles[number % roles.length] ?? '';

/** One of the 110: its pod of this generation, and where it is. */
const many = Array.from({ length: podCount }, (_, index) => ({
  index,
  address: podAddresses(100 + index).ipv4,
}));
const nameOf = (index: number, generation: number) => `many-${index}-${generation}`;

describe('a node with 110 pods', needs('netns', 'nft'), () => {
  const scope = suiteScope();
  let node: Node;

  before(async () => {
    // One namespace with an address for each: to the node they are 110 callers.
    node = await startNode(scope, { wiring: 'routed', pods: 1, addressesOfFirst: podCount, roles });
    await node.startAgent();
    await Promise.all(many.map(({ index }) => createPod(index, 0, roleOf(index))));
  }, bound);

  async function createPod(index: number, generation: number, role: string | undefined): Promise<void> {
    const podIP = many[index]?.address ?? '';
    const name = nameOf(index, generation);
    await node.control.createPod({ name, nodeName, podIP, ...(role === undefined ? {} : { role }) });
  }

  async function listOf(index: number): Promise<PodAnswer> {
    const from = many[index]?.address ?? '';
    const answer = await node.pods[0]?.worker.ask({ host: metadataIpv4, path: tree, from });
    assert.ok(answer);
    return answer;
  }

  async function assertIs(index: number, role: string): Promise<void> {
    await eventually(async () => {
      assert.deepEqual(await listOf(index), { kind: 'answered', status: 200, body: role });
    });
  }

  it('answers each as itself', bound, async () => {
    await Promise.all(many.map(({ index }) => assertIs(index, roleOf(index))));
  });

  it('gives no address the role of a pod that had it before', bound, async () => {
    // A third gets another role, a third goes and comes again with another one at the same address, a third goes for good.
    const next = (index: number) => roleOf(index + 1);
    await Promise.all(
      many.map(async ({ index }) => {
        switch (index % 3) {
          case 0:
            await node.control.setRole(nameOf(index, 0), next(index));
            return assertIs(index, next(index));
          case 1:
            await node.control.deletePod(nameOf(index, 0));
            await createPod(index, 1, next(index));
            return assertIs(index, next(index));
          default:
            await node.control.deletePod(nameOf(index, 0));
            return eventually(async () => {
              const answer = await listOf(index);
              assert.ok(answer.kind === 'answered' && answer.status !== 200, JSON.stringify(answer));
            });
        }
      }),
    );
    // All has settled: nobody is anybody else, and those who are gone are nobody.
    const answers = await Promise.all(many.map(({ index }) => listOf(index)));
    for (const [index, answer] of answers.entries()) {
      assert.ok(answer.kind === 'answered');
      if (index % 3 === 2) assert.equal(answer.status, 503);
      else assert.equal(answer.body, next(index));
    }
    assert.deepEqual(node.wiretap.sources(), []);
  });
});
