import assert from 'node:assert/strict';
import { it } from 'node:test';
import { credentialFields, podFields } from './log-fields.ts';

const pod = { namespace: 'team', name: 'web-0', uid: 'u1' };

it("names a pod by kiam's keys, with what is known of it", () => {
  const short = { 'pod.namespace': 'team', 'pod.name': 'web-0', 'pod.uid': 'u1' };
  assert.deepEqual(podFields(pod), short);
  assert.deepEqual(podFields({ ...pod, addresses: [] }), short);
  assert.deepEqual(podFields({ ...pod, addresses: ['10.0.0.1', 'fd00::1'], role: 'reader' }), {
    ...short,
    'pod.status.ip': '10.0.0.1',
    'pod.iam.role': 'reader',
  });
});

it("names a session by kiam's keys, and nothing of its external id", () => {
  const identity = { roleArn: 'arn:aws:iam::1:role/r', sessionName: 'kiam-x', externalId: 'S3CRET' };
  assert.deepEqual(credentialFields(identity, 0), {
    'credentials.role': 'arn:aws:iam::1:role/r',
    'credentials.session-name': 'kiam-x',
    'credentials.expiration': '1970-01-01T00:00:00.000Z',
  });
});
