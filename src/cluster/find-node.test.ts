import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ClusterConnection, JsonOutcome, JsonRequest } from './connection.ts';
import { findNode } from './find-node.ts';

const { signal } = new AbortController();

function pod(nodeName: unknown, hostNetwork = true) {
  return { spec: { nodeName, hostNetwork } };
}

function connect(outcome: JsonOutcome) {
  const asked: JsonRequest[] = [];
  const connection = {
    requestJson: async (request: JsonRequest) => {
      asked.push(request);
      return outcome;
    },
  } as unknown as ClusterConnection;
  return { connection, asked };
}

const ok = (...items: unknown[]): JsonOutcome => ({ kind: 'ok', status: 200, body: { items } });

describe('findNode', () => {
  it('is the node of the host-network pods that have the address', async () => {
    const { connection, asked } = connect(ok(pod('node-1'), pod('node-1'), pod(''), pod(7)));
    assert.equal(await findNode(connection, '10.0.0.1', signal), 'node-1');
    assert.deepEqual(asked[0]?.query, { fieldSelector: 'status.podIP=10.0.0.1', limit: 10 });
  });

  for (const [title, outcome, said] of [
    ['nobody has it', ok(), /no pod of the host network has it.*NODE_NAME from spec\.nodeName/],
    // Its status may be written by others than kubelet, and its address be anything.
    ['only a pod with a network of its own has it', ok(pod('node-1', false)), /no pod of the host network/],
    ['several nodes have it', ok(pod('node-1'), pod('node-2')), /several nodes have it: node-1, node-2/],
    ['the answer is of another form', { kind: 'ok', status: 200, body: [] }, /no pod of the host network/],
    ['the API server is away', { kind: 'unreachable', message: 'ECONNREFUSED' }, /ECONNREFUSED/],
  ] as const) {
    it(`says so when ${title}`, async () => {
      await assert.rejects(findNode(connect(outcome).connection, '10.0.0.1', signal), {
        code: 'ERR_USAGE',
        message: said,
      });
    });
  }
});
