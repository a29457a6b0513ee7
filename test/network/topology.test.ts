// That the tests of this folder can fail: without a rule, a pod of either wiring has the node's role.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { suiteScope } from '../end-to-end/suite-scope.ts';
import { needs } from '../parts/availability.ts';
import { type MetadataCommands, nodeRole } from './metadata-worker.ts';
import type { PodCommands } from './pod-worker.ts';
import { createTopology, metadataIpv4, metadataIpv6, type Topology } from './topology.ts';
import { startWiretap, type Wiretap } from './wiretap.ts';
import { startWorker, type Worker } from './worker.ts';

const bound = { timeout: 120_000 };
const path = '/latest/meta-data/iam/security-credentials/';

for (const wiring of ['bridge', 'routed'] as const) {
  describe(`a node whose pods are joined by ${wiring}`, needs('netns', 'nft'), () => {
    const scope = suiteScope();
    let topology: Topology;
    let ec2: Worker<MetadataCommands>;
    let pods: readonly Worker<PodCommands>[];
    let wiretap: Wiretap;

    before(async () => {
      topology = createTopology(scope, { wiring });
      const script = (name: string) => join(import.meta.dirname, name);
      wiretap = startWiretap(topology.ec2);
      ec2 = startWorker(scope, topology.ec2, script('metadata-worker.ts'));
      pods = topology.pods.map(({ namespace }) => startWorker(scope, namespace, script('pod-worker.ts')));
      await ec2.listen();
    }, bound);

    it('lets each pod reach the metadata of the node, by its own address', bound, async () => {
      for (const [index, pod] of pods.entries()) {
        for (const host of [metadataIpv4, metadataIpv6]) {
          assert.deepEqual(await pod.ask({ host, path }), { kind: 'answered', status: 200, body: nodeRole });
        }
        const { ipv4 = '', ipv6 = '' } = topology.pods[index] ?? {};
        const asked = (await ec2.requests()).map(({ from }) => from);
        assert.ok(asked.includes(ipv4) && asked.includes(ipv6), String(asked));
        assert.ok(wiretap.sources().includes(ipv4) && wiretap.sources().includes(ipv6));
      }
    });

    it('lets pods reach each other', bound, async () => {
      const { ipv4 = '', ipv6 = '' } = topology.pods[1] ?? {};
      for (const host of [ipv4, ipv6]) {
        assert.deepEqual(await pods[0]?.ask({ host, path }), { kind: 'failed', code: 'ECONNREFUSED' });
      }
    });
  });
}
