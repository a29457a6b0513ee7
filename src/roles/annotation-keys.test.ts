import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  chooseAnnotationKeys,
  defaultAnnotationKeys,
  keptNamespaceAnnotations,
  keptPodAnnotations,
} from './annotation-keys.ts';

describe('annotation keys', () => {
  it('are kiam’s and kube2iam’s by default', () => {
    assert.deepEqual(defaultAnnotationKeys, {
      role: 'iam.amazonaws.com/role',
      sessionName: 'iam.amazonaws.com/session-name',
      externalId: 'iam.amazonaws.com/external-id',
      permitted: 'iam.amazonaws.com/permitted',
      allowedRoles: 'iam.amazonaws.com/allowed-roles',
    });
  });

  it('can be chosen', () => {
    const chosen = chooseAnnotationKeys({ role: 'example.com/role', allowedRoles: 'roles' });
    assert.ok(chosen.kind === 'ok');
    assert.deepEqual(chosen.value, {
      ...defaultAnnotationKeys,
      role: 'example.com/role',
      allowedRoles: 'roles',
    });
  });

  const unusable: readonly (readonly [Parameters<typeof chooseAnnotationKeys>[0], RegExp])[] = [
    [{ role: '' }, /is no annotation key/],
    [{ role: 'Example.com/role' }, /is no annotation key/],
    [{ role: 'a/b/c' }, /is no annotation key/],
    [{ allowedRoles: 'roles ' }, /is no annotation key/],
    [{ role: `example.com/${'x'.repeat(64)}` }, /is no annotation key/],
    [{ allowedRoles: defaultAnnotationKeys.permitted }, /permitted" cannot have two meanings/],
    [{ role: 'x', externalId: 'x' }, /two meanings/],
  ];
  for (const [chosen, problem] of unusable) {
    it(`cannot be ${JSON.stringify(chosen).slice(0, 60)}`, () => {
      const refused = chooseAnnotationKeys(chosen);
      assert.match(refused.kind === 'invalid' ? refused.problem : '', problem);
    });
  }

  it('are kept where they are read, and nowhere else', () => {
    const pod = keptPodAnnotations(defaultAnnotationKeys);
    const namespace = keptNamespaceAnnotations(defaultAnnotationKeys);
    assert.deepEqual([...pod].sort(), [
      'iam.amazonaws.com/external-id',
      'iam.amazonaws.com/role',
      'iam.amazonaws.com/session-name',
    ]);
    assert.deepEqual([...namespace], ['iam.amazonaws.com/permitted', 'iam.amazonaws.com/allowed-roles']);
    assert.ok(!pod.has('iam.amazonaws.com/permitted'));
  });

  it('follow the configuration', () => {
    const keys = { ...defaultAnnotationKeys, role: 'example.com/role', permitted: 'example.com/allowed' };
    assert.ok(keptPodAnnotations(keys).has('example.com/role'));
    assert.ok(!keptPodAnnotations(keys).has('iam.amazonaws.com/role'));
    assert.deepEqual([...keptNamespaceAnnotations(keys)], ['example.com/allowed', keys.allowedRoles]);
  });
});
