import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type AnnotationKeys, defaultAnnotationKeys as keys } from './annotation-keys.ts';
import { readPodBinding } from './pod-binding.ts';

const role = keys.role;

describe('readPodBinding', () => {
  it('finds no binding where the role is absent or empty, whatever else is set', () => {
    for (const annotations of [
      {},
      { [role]: '' },
      { [keys.sessionName]: 'x' },
      { [keys.externalId]: '!' },
      { 'iam.amazonaws.com/Role': 'x' },
    ]) {
      assert.deepEqual(readPodBinding(annotations, keys), { kind: 'none' });
    }
  });

  it('takes texts as they are written', () => {
    assert.deepEqual(
      readPodBinding(
        { [role]: ' /reader\n', [keys.sessionName]: 'my session!', [keys.externalId]: 'e:x/t@1' },
        keys,
      ),
      { kind: 'bound', roleText: ' /reader\n', sessionNameText: 'my session!', externalId: 'e:x/t@1' },
    );
  });

  it('takes empty session names and external ids for absent ones, as kiam does', () => {
    assert.deepEqual(readPodBinding({ [role]: 'r', [keys.sessionName]: '', [keys.externalId]: '' }, keys), {
      kind: 'bound',
      roleText: 'r',
    });
  });

  it('reads the keys that are configured', () => {
    const own: AnnotationKeys = { ...keys, role: 'example.com/role', externalId: 'constructor' };
    assert.deepEqual(readPodBinding({ 'example.com/role': 'r', [role]: 'other' }, own), {
      kind: 'bound',
      roleText: 'r',
    });
  });

  it('refuses a role longer than any ARN without repeating it', () => {
    const binding = readPodBinding({ [role]: 'x'.repeat(256_000) }, keys);
    assert.deepEqual(binding, {
      kind: 'invalid',
      annotation: role,
      problem: 'it has 256000 characters, and no role ARN has more than 640',
    });
  });

  describe('external id', () => {
    const good = ['ab', '12345', 'a'.repeat(1_224), 'aZ09_+=,.@:/-'];
    for (const externalId of good) {
      it(`takes ${externalId.slice(0, 20)} (${externalId.length})`, () => {
        assert.deepEqual(readPodBinding({ [role]: 'r', [keys.externalId]: externalId }, keys), {
          kind: 'bound',
          roleText: 'r',
          externalId,
        });
      });
    }

    const bad = [
      ['Q', /at least 2/],
      ['Q'.repeat(1_225), /at most 1224/],
      ['Q'.repeat(256_000), /at most 1224/],
      ['QQ QQ', /white space/],
      ['QQQQ\n', /white space/],
      ['QQ"QQ', /characters that STS does not allow/],
      ['QQQé', /characters that STS does not allow/],
      ['QQQ\u0000', /characters that STS does not allow/],
    ] as const;
    for (const [externalId, problem] of bad) {
      it(`refuses ${JSON.stringify(externalId.slice(0, 20))} (${externalId.length}) without showing it`, () => {
        const binding = readPodBinding({ [role]: 'r', [keys.externalId]: externalId }, keys);
        assert.ok(binding.kind === 'invalid');
        assert.equal(binding.annotation, keys.externalId);
        assert.match(binding.problem, problem);
        assert.doesNotMatch(binding.problem, /Q/);
      });
    }
  });

  it('never throws, and lets nothing through that STS would not take for an external id', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.constantFrom('', 'ab', 'a b'));
    fc.assert(
      fc.property(text, text, text, (roleText, session, externalId) => {
        const annotations = { [role]: roleText, [keys.sessionName]: session, [keys.externalId]: externalId };
        const binding = readPodBinding(annotations, keys);
        assert.equal(binding.kind === 'none', roleText === '');
        if (binding.kind === 'bound' && binding.externalId !== undefined) {
          assert.match(binding.externalId, /^[\w+=,.@:/-]{2,1224}$/);
        }
      }),
    );
  });
});
