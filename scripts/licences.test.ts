import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { licenceText } from './licences.ts';

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function packageWith(manifest: object, files: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'podpass-licence-'));
  folders.push(folder);
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

const line = '='.repeat(80);

describe('licenceText', () => {
  it('gives the name, the version and the text of each', () => {
    const one = packageWith(
      { name: 'one', version: '1.0.0', license: 'MIT' },
      { 'LICENSE.md': 'MIT text\n\n' },
    );
    const two = packageWith(
      { name: '@a/two', version: '2.1.0', license: 'ISC' },
      { 'LICENCE.txt': 'ISC text' },
    );
    assert.equal(
      licenceText([one, two]),
      `${line}\none 1.0.0 (MIT)\n\nMIT text\n\n${line}\n@a/two 2.1.0 (ISC)\n\nISC text\n`,
    );
  });

  it('names the licence of a package that does not bring its text', () => {
    const bare = packageWith({ name: 'bare', version: '1.0.0', license: 'Apache-2.0' }, { 'index.js': '' });
    assert.equal(licenceText([bare]), `${line}\nbare 1.0.0 (Apache-2.0)\n\nLicence: Apache-2.0\n`);
  });

  it('refuses a package whose licence nobody knows', () => {
    const none = packageWith({ name: 'none', version: '0.0.1' });
    assert.throws(() => licenceText([none]), /none 0\.0\.1 has no licence/);
    const text = packageWith({ name: 'text', version: '0.0.1' }, { LICENSE: 'Do as you like' });
    assert.match(licenceText([text]), /text 0\.0\.1 \(see below\)\n\nDo as you like/);
  });
});
