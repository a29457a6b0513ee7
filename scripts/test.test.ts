import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'podpass-test-run-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Runs `npm test` as its own process on some test files, each the text of one. */
function npmTest(files: Readonly<Record<string, string>>, args: readonly string[] = [], env: object = {}) {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
  const own = { ...process.env, ...env };
  // What the outer runner tells its files: with it the inner one would believe to be a file, too.
  delete own.NODE_TEST_CONTEXT;
  const argv = [join(import.meta.dirname, 'test.ts'), ...args, dir];
  return new Promise<{ status: number; out: string; err: string }>((resolve) => {
    execFile(process.execPath, argv, { env: own, timeout: 60_000 }, (error, out, err) => {
      resolve({ status: error ? Number(error.code ?? -1) : 0, out, err });
    });
  });
}

const head = `import { describe, it } from 'node:test';\nimport assert from 'node:assert/strict';\n`;
const good = `${head}it('holds', () => assert.ok(true));\n`;
const bad = `${head}describe('a suite', () => it('fails', () => assert.equal(1, 2)));\n`;

describe('npm test', { timeout: 120_000 }, () => {
  it('succeeds when every test does, without colours', async () => {
    const { status, out } = await npmTest({ 'a.test.ts': good, 'b.test.ts': good });
    assert.equal(status, 0, out);
    assert.match(out, /\n2 passed, 0 failed, 0 skipped\n$/);
    assert.ok(!out.includes('\u001b'));
  });

  it('fails when one test does, and shows it', async () => {
    const { status, out } = await npmTest({ 'a.test.ts': good, 'b.test.ts': bad });
    assert.equal(status, 1);
    assert.match(out, /b\.test\.ts > a suite > fails\n {4}AssertionError.*1 !== 2/s);
    assert.match(out, /\n1 passed, 1 failed, 0 skipped\n$/);
  });

  it('fails when a file cannot be loaded, has no test, or nothing was run', async () => {
    const broken = await npmTest({ 'a.test.ts': good, 'b.test.ts': `throw new Error('cannot load');` });
    assert.equal(broken.status, 1);
    assert.match(broken.out, /Error: cannot load/);
    const empty = await npmTest({ 'b.test.ts': '' });
    assert.equal(empty.status, 1);
    assert.match(empty.out, /it has no test/);
    const none = await npmTest({ 'b.test.ts': good }, ['--grep', 'no such name']);
    assert.equal(none.status, 1, none.out);
  });

  it('fails a test that takes too long', async () => {
    const slow = `${head}it('hangs', (t) => new Promise((r) => { const timer = setInterval(() => {}, 1e3);
      t.signal.onabort = () => clearInterval(timer); }));`;
    const { status, out } = await npmTest({ 'a.test.ts': slow }, ['--timeout', '200ms']);
    assert.equal(status, 1);
    assert.match(out, /test timed out after 200ms/);
  });

  it('shows each skip with its reason and succeeds, and fails it where parts are required', async () => {
    const availability = JSON.stringify(join(import.meta.dirname, '../test/parts/availability.ts'));
    const text = `${head}import { needs } from ${availability};
      it('holds', () => assert.ok(true));
      describe('the watch', needs('etcd'), () => it('works', () => assert.ok(true)));`;
    const env = { KUBEBUILDER_ASSETS: dir, PODPASS_REQUIRE_PARTS: '0' };
    const skipped = await npmTest({ 'a.test.ts': text }, [], env);
    assert.equal(skipped.status, 0, skipped.out);
    assert.match(skipped.out, /Skipped:\n\n- etcd is not in KUBEBUILDER_ASSETS .*\n {4}the watch \(/);
    assert.match(skipped.out, /\n1 passed, 0 failed, 1 skipped\n$/);
    const required = await npmTest({ 'a.test.ts': text }, ['--require-parts'], env);
    assert.equal(required.status, 1);
    assert.match(required.out, /etcd is not in KUBEBUILDER_ASSETS.*forbids a skip/);
  });

  it("hides the person's own AWS from the tests", async () => {
    const text = `${head}it('sees none', () => assert.deepEqual(
      Object.entries(process.env).filter(([name]) => name.startsWith('AWS_')).sort(),
      [['AWS_CONFIG_FILE', '/dev/null'], ['AWS_SHARED_CREDENTIALS_FILE', '/dev/null']]));`;
    const env = { AWS_PROFILE: 'production', AWS_SECRET_ACCESS_KEY: 'secret' };
    const { status, out } = await npmTest({ 'a.test.ts': text }, [], env);
    assert.equal(status, 0, out);
  });

  it('runs only the tests that are asked for by name', async () => {
    const { status, out } = await npmTest({ 'a.test.ts': good, 'b.test.ts': bad }, ['--grep', 'holds']);
    assert.equal(status, 0, out);
    assert.match(out, /\n1 passed, 0 failed, 0 skipped\n$/);
  });

  it('says what is wrong with the command line, with status 2', async () => {
    const { status, err } = await npmTest({}, ['--covrage']);
    assert.equal(status, 2);
    assert.match(err, /^test: Unknown option '--covrage'/);
    assert.equal((await npmTest({}, ['no/such/folder'])).status, 2);
  });
});
