// The demo as somebody sees it who has just cloned the project: from the files that git knows, in another place.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type CommandResult, runCommand } from '../src/sandbox/run-command.ts';
import { projectRoot } from './parts/locations.ts';

const bound = { timeout: 110_000 };
const demoMillis = 100_000;
const signal = new AbortController().signal;

/** Copies what is committed, or will be with the next commit, and nothing else. */
async function copyCheckout(to: string): Promise<void> {
  const listed = await runCommand('git', ['ls-files', '-z', '--cached'], {
    bound: 20_000,
    signal,
    cwd: projectRoot,
    env: process.env,
  });
  assert.ok(listed.kind === 'exited' && listed.status === 0, JSON.stringify(listed));
  const files = listed.stdout.split('\0').filter((file) => file !== '');
  await Promise.all(
    files.map(async (file) => {
      await mkdir(join(to, dirname(file)), { recursive: true });
      // What was deleted and is not committed yet is missing in both.
      await cp(join(projectRoot, file), join(to, file)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
      });
    }),
  );
}

/** Dependencies as `npm ci` leaves them, without a copy: the folder is its own, and what is in it is linked. */
async function linkDependencies(to: string): Promise<void> {
  const from = join(projectRoot, 'node_modules');
  const modules = join(to, 'node_modules');
  await mkdir(modules);
  const names = (await readdir(from)).filter((name) => name !== '.podpass-setup');
  await Promise.all(names.map((name) => symlink(join(from, name), join(modules, name))));
  const lock = await readFile(join(to, 'package-lock.json'));
  await writeFile(join(modules, '.podpass-setup'), createHash('sha256').update(lock).digest('hex'));
}

describe('the demo in a fresh checkout', () => {
  let checkout: string;
  before(async () => {
    checkout = await mkdtemp(join(tmpdir(), 'podpass-demo-'));
    await copyCheckout(checkout);
    await linkDependencies(checkout);
  }, bound);
  after(() => rm(checkout, { recursive: true, force: true }));

  async function runDemo(): Promise<CommandResult & { kind: 'exited' }> {
    const command = ['scripts/run.mjs', 'src/main.ts', 'sandbox', 'demo'];
    const result = await runCommand(process.execPath, command, {
      bound: demoMillis,
      signal,
      cwd: checkout,
      // Without an AWS CLI: its turn is in end-to-end/clients.test.ts.
      env: { PATH: '/usr/bin:/bin', TMPDIR: checkout, HOME: checkout },
    });
    assert.ok(result.kind === 'exited', JSON.stringify(result));
    return result;
  }

  /** Through server and agent, and below it through standalone. */
  function tablesIn(stdout: string): readonly string[] {
    const [, split = '', standalone = ''] = stdout.split(/^ +(?:server and agent|standalone) +SDK v1 .*\n/m);
    return [split, standalone];
  }

  const expectedPods = [
    'iam-example/reportingdb-reader',
    'iam-example/no-role',
    'iam-example/mistyped-role',
    'session-name-example/reader',
    'external-id-example/reader',
    'locked-example/wants-admin',
    'unlisted-example/reader',
    'cross-account-example/reader',
  ];

  it('shows each pod what it must see, and leaves nothing behind', bound, async () => {
    const { status, stdout, stderr } = await runDemo();
    assert.doesNotMatch(stderr, /ERR_MODULE_NOT_FOUND/, 'a file that is used is not in git: git add it');
    assert.equal(status, 0, stdout + stderr);
    const [split = '', standalone = ''] = tablesIn(stdout);
    for (const pod of expectedPods) {
      assert.match(split, new RegExp(`^ok +${pod} `, 'm'));
      assert.match(standalone, new RegExp(`^ok +${pod} `, 'm'));
    }
    // What pods got is the same, but for the annotation that a bare namespace is told to set.
    const others = Array.from(standalone.matchAll(/^ {7}(arn:aws:sts:|40\d pod \S+)/gm), ([, got]) => got);
    assert.deepEqual(others, ['403 pod unlisted-example/reader']);
    assert.doesNotMatch(stdout, /^BAD/m);
    assert.match(
      stdout,
      /^8 of 8 pods saw what they must see through server and agent, 8 of 8 through standalone/m,
    );
    assert.match(stdout, /^0 requests of pods reached the node's own metadata service\.$/m);
    const left = (await readdir(checkout)).filter((name) => name.startsWith('podpass-'));
    assert.deepEqual(left, [], 'no temporary files');
  });

  it('fails and names the pod that saw something else', bound, async () => {
    const file = join(checkout, 'examples', 'expected.yaml');
    const text = await readFile(file, 'utf8');
    const wrong = text
      .replace('role/session-name-reader/kiam-my-session-name', 'role/session-name-reader/kiam-another')
      .replace(/(pod: iam-example\/no-role\n +status:) 404/, '$1 403');
    await writeFile(file, wrong);
    const { status, stdout } = await runDemo();
    await writeFile(file, text);
    assert.equal(status, 1);
    for (const table of tablesIn(stdout)) {
      const bad = Array.from(table.matchAll(/^BAD +(\S+)/gm), ([, pod]) => pod);
      assert.deepEqual(bad.sort(), ['iam-example/no-role', 'session-name-example/reader']);
    }
    assert.match(
      stdout,
      /wrong: SDK v1 became arn:aws:sts::123456789012:assumed-role\/session-name-reader\/kiam-my-session-name, expected .*kiam-another/i,
    );
    assert.match(stdout, /wrong: the door answered 404, expected 403/i);
    assert.match(stdout, /^6 of 8 pods .*, 6 of 8 through standalone/m);
  });
});
