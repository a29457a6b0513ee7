import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultAnnotationKeys, keptNamespaceAnnotations, keptPodAnnotations } from './annotation-keys.ts';

describe('annotation keys', () => {
  it('are kiam’s by default', () => {
    assert.deepEqual(defaultAnnotationKeys, {
      role: 'iam.amazonaws.com/role',
      sessionName: 'iam.amazonaws.com/session-name',
      externalId: 'iam.amazonaws.com/external-id',
      permitted: 'iam.amazonaws.com/permitted',
    });
  });

  it('are kept where they are read, and nowhere else', () => {
    const pod = keptPodAnnotations(defaultAnnotationKeys);
    const namespace = keptNamespaceAnnotations(defaultAnnotationKeys);
    assert.deepEqual([...pod].sort(), [
      'iam.amazonaws.com/external-id',
      'iam.amazonaws.com/role',
      'iam.amazonaws.com/session-name',
    ]);
    assert.deepEqual([...namespace], ['iam.amazonaws.com/permitted']);
    assert.ok(!pod.has('iam.amazonaws.com/permitted'));
  });

  it('follow the configuration', () => {
    const keys = { ...defaultAnnotationKeys, role: 'example.com/role', permitted: 'example.com/allowed' };
    assert.ok(keptPodAnnotations(keys).has('example.com/role'));
    assert.ok(!keptPodAnnotations(keys).has('iam.amazonaws.com/role'));
    assert.deepEqual([...keptNamespaceAnnotations(keys)], ['example.com/allowed']);
  });
});
