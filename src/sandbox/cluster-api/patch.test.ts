import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deepFreeze, type Json } from './json.ts';
import { applyPatchTo, patchKindOf } from './patch.ts';
import { accepted, refusal } from './testing/outcomes.ts';

const object = deepFreeze({
  metadata: { name: 'web', annotations: { 'iam.amazonaws.com/role': 'reader' } },
  spec: { containers: [{ name: 'main', image: 'web:1' }] },
});

describe('the kind of a patch', () => {
  it('is said by the content type', () => {
    assert.equal(accepted(patchKindOf('application/json-patch+json')), 'json');
    assert.equal(accepted(patchKindOf('application/merge-patch+json')), 'merge');
    assert.equal(accepted(patchKindOf('application/strategic-merge-patch+json')), 'strategic');
    assert.equal(accepted(patchKindOf('application/apply-patch+yaml')), 'apply');
  });

  for (const type of ['application/json', '', 'constructor', 'application/apply-patch+cbor']) {
    it(`is not said by ${JSON.stringify(type)}`, () => {
      refusal(patchKindOf(type), 415, 'UnsupportedMediaType');
    });
  }
});

describe('patches of documents', () => {
  it('differ in what they make of a list', () => {
    const patch = { spec: { containers: [{ name: 'side', image: 'side:1' }] } };
    assert.deepEqual(accepted(applyPatchTo(object, 'merge', patch)), { ...object, ...patch });
    const both = {
      ...object,
      spec: { containers: [...object.spec.containers, { name: 'side', image: 'side:1' }] },
    };
    assert.deepEqual(accepted(applyPatchTo(object, 'strategic', patch)), both);
    assert.deepEqual(accepted(applyPatchTo(object, 'apply', patch)), both);
  });

  for (const kind of ['merge', 'strategic', 'apply'] as const) {
    it(`of kind ${kind} must be objects`, () => {
      for (const patch of [null, [], 'x', 1]) refusal(applyPatchTo(object, kind, patch), 400, 'BadRequest');
    });
  }
});

describe('JSON patch', () => {
  const role = '/metadata/annotations/iam.amazonaws.com~1role';

  it('applies its operations in order, to a copy', () => {
    const patch = [
      { op: 'test', path: role, value: 'reader' },
      { op: 'replace', path: role, value: 'writer' },
      { op: 'add', path: '/metadata/labels', value: { app: 'web' } },
      { op: 'copy', from: role, path: '/metadata/labels/role' },
      { op: 'add', path: '/spec/containers/-', value: { name: 'side' } },
      { op: 'remove', path: '/spec/containers/0' },
      { op: 'move', from: '/metadata/labels/app', path: '/metadata/labels/name' },
    ];
    assert.deepEqual(accepted(applyPatchTo(object, 'json', patch)), {
      metadata: {
        name: 'web',
        annotations: { 'iam.amazonaws.com/role': 'writer' },
        labels: { role: 'writer', name: 'web' },
      },
      spec: { containers: [{ name: 'side' }] },
    });
  });

  const failing: [string, Json[]][] = [
    ['a test that does not hold', [{ op: 'test', path: role, value: 'x' }]],
    ['the removal of what is not there', [{ op: 'remove', path: '/metadata/labels' }]],
    ['a replacement of what is not there', [{ op: 'replace', path: '/metadata/labels', value: {} }]],
    ['a place below nothing', [{ op: 'add', path: '/metadata/labels/app', value: 'web' }]],
    ['an index beyond the end', [{ op: 'add', path: '/spec/containers/7', value: {} }]],
  ];
  for (const [what, patch] of failing) {
    it(`is refused as a whole for ${what}`, () => {
      const whole = [{ op: 'replace', path: '/metadata/name', value: 'x' }, ...patch];
      const { message } = refusal(applyPatchTo(object, 'json', whole), 422, 'Invalid');
      assert.match(message ?? '', /operation 1/);
    });
  }

  it('stops at the first failure', () => {
    const patch = [
      { op: 'test', path: '/metadata/name', value: 'other' },
      { op: 'remove', path: '/nowhere' },
    ];
    assert.match(refusal(applyPatchTo(object, 'json', patch), 422).message ?? '', /operation 0/);
  });

  const malformed: [string, Json][] = [
    ['an object', { op: 'add' }],
    ['an operation that is a text', ['add']],
    ['an unknown operation', [{ op: 'merge', path: '/a', value: 1 }]],
    ['no path', [{ op: 'add', value: 1 }]],
    ['a path without a slash', [{ op: 'add', path: 'a', value: 1 }]],
    ['a path that is a number', [{ op: 'remove', path: 1 }]],
    ['a source that is no path', [{ op: 'copy', from: 'x', path: '/a' }]],
    ['a prototype in the path', [{ op: 'add', path: '/__proto__/polluted', value: 1 }]],
    ['a constructor in the path', [{ op: 'add', path: '/constructor/prototype/polluted', value: 1 }]],
  ];
  for (const [what, patch] of malformed) {
    it(`is refused with ${what}`, () => {
      refusal(applyPatchTo(object, 'json', patch), 400, 'BadRequest');
      assert.equal(Reflect.get({}, 'polluted'), undefined);
    });
  }

  it('is refused when it is endless', () => {
    const patch = Array.from({ length: 10_001 }, () => ({
      op: 'test',
      path: '/metadata/name',
      value: 'web',
    }));
    refusal(applyPatchTo(object, 'json', patch), 413, 'RequestEntityTooLarge');
  });
});
