import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { readExpectations } from './expectations.ts';

describe('expected.yaml', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'podpass-test-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const read = async (text: string) => {
    const path = join(folder, 'expected.yaml');
    await writeFile(path, text);
    return readExpectations(path);
  };

  it('says of each pod which role it must get, or how it must be refused', async () => {
    const [role, refusal] = await read(
      'pods:\n- {pod: a/b, arn: "arn:x:.*"}\n- {pod: c/d, status: 403, text: [why]}\n',
    );
    assert.ok(role?.kind === 'role' && role.arn.test('arn:x:y') && !role.arn.test('prefix arn:x:y'));
    assert.deepEqual(refusal, { pod: 'c/d', kind: 'refusal', status: 403, texts: ['why'] });
  });

  for (const [text, problem] of [
    ['', /no list "pods"/],
    ['pods: []', /no list "pods"/],
    ['pods: [{arn: x}]', /no "pod: NAMESPACE\/NAME"/],
    ['pods: [{pod: a/b}]', /a\/b has neither/],
    ['pods: [', /cannot use/],
  ] as const) {
    it(`is refused with its name when it is ${JSON.stringify(text)}`, async () => {
      await assert.rejects(read(text), { code: 'ERR_SANDBOX', message: problem });
      await assert.rejects(read(text), /expected\.yaml/);
    });
  }

  it('holds for the shipped examples', async () => {
    const shipped = await readExpectations(join(import.meta.dirname, '../../../examples/expected.yaml'));
    assert.equal(shipped.length, 8);
  });
});
