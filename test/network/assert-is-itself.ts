import assert from 'node:assert/strict';
import type { NodePod, World } from './world.ts';

const tree = '/latest/meta-data/iam/security-credentials/';

/** Asks as an SDK does, with and without a session token: the answer is the pod's role, by the word of the STS. */
export async function assertIsItself(
  { control }: Pick<World, 'control'>,
  { worker, role }: NodePod,
  host: string,
): Promise<void> {
  const token = await worker.ask({
    host,
    path: '/latest/api/token',
    method: 'PUT',
    headers: { 'x-aws-ec2-metadata-token-ttl-seconds': '300' },
  });
  assert.ok(token.kind === 'answered' && token.status === 200, JSON.stringify(token));
  for (const headers of [{}, { 'x-aws-ec2-metadata-token': token.body }]) {
    const list = await worker.ask({ host, path: tree, headers });
    assert.deepEqual(list, { kind: 'answered', status: 200, body: role });
    const answer = await worker.ask({ host, path: tree + role, headers });
    assert.ok(answer.kind === 'answered' && answer.status === 200, JSON.stringify(answer));
    const arn = await control.whoIs(JSON.parse(answer.body));
    assert.ok(arn.includes(`:assumed-role/${role}/kiam-`), arn);
  }
}
