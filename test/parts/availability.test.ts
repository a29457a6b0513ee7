import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { needs } from './availability.ts';
import { partPath, parts } from './catalogue.ts';

const before = { ...process.env };
let assets = '';
beforeEach(() => {
  assets = mkdtempSync(join(tmpdir(), 'podpass-assets-'));
  // Only kubectl is there: the other two are certainly missing.
  writeFileSync(join(assets, 'kubectl'), '');
  process.env.KUBEBUILDER_ASSETS = assets;
  delete process.env.PODPASS_REQUIRE_PARTS;
});
afterEach(() => {
  for (const name of ['KUBEBUILDER_ASSETS', 'PODPASS_REQUIRE_PARTS']) {
    if (before[name] === undefined) delete process.env[name];
    else process.env[name] = before[name];
  }
  rmSync(assets, { recursive: true, force: true });
});

describe('needs', () => {
  it('lets a suite run whose parts are there', () => {
    assert.deepEqual(needs('kubectl'), { skip: false });
    assert.deepEqual(needs(), { skip: false });
  });

  it('skips a suite with the reason of each part that is missing', () => {
    const { skip } = needs('kubectl', 'etcd', 'kube-apiserver');
    assert.match(
      String(skip),
      /^etcd is not in KUBEBUILDER_ASSETS .*; kube-apiserver is not in KUBEBUILDER_/,
    );
  });

  it('fails instead of skipping where every part is required', () => {
    process.env.PODPASS_REQUIRE_PARTS = '1';
    assert.throws(() => needs('etcd'), /etcd is not in .*PODPASS_REQUIRE_PARTS=1 forbids a skip/);
    assert.deepEqual(needs('kubectl'), { skip: false });
  });

  it('refuses the name of no part, lest a misspelt suite is never run', () => {
    assert.throws(
      () => needs('kube-api-server'),
      /no part "kube-api-server"; there are: kube-apiserver, etcd,/,
    );
  });
});

describe('partPath', () => {
  it('gives the command where it is, and the way to get it where it is not', () => {
    assert.equal(partPath('kubectl'), join(assets, 'kubectl'));
    assert.throws(() => partPath('etcd'), /KUBEBUILDER_ASSETS/);
  });
});

describe('the catalogue', () => {
  it('has each name once', () => {
    const names = parts.map((part) => part.name);
    assert.deepEqual(names, [...new Set(names)]);
  });

  it('says how to get whatever is missing', () => {
    for (const part of parts) {
      const found = part.find();
      if (found.kind === 'missing')
        assert.match(found.reason, /npm run parts|apt-get install|unset/, part.name);
    }
  });
});
