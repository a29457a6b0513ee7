import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { createFakeClock } from '../base/fake-clock.ts';
import { type AwsCli, awsCliRequirements, ensureAwsCli, parseAwsVersion } from './aws-cli.ts';
import { isInstalled } from './install-once.ts';
import type { CommandResult } from './run-command.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'podpass-aws-cli-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const said = (stdout: string, status = 0, stderr = ''): CommandResult => ({
  kind: 'exited',
  status,
  stdout,
  stderr,
});

/** A machine with an `aws` in some folders, and what each command answers. */
function machine(
  folders: readonly string[],
  answer: (file: string, args: readonly string[]) => CommandResult,
) {
  const ran: string[] = [];
  const told: string[] = [];
  for (const folder of folders) {
    mkdirSync(join(root, folder));
    writeFileSync(join(root, folder, 'aws'), '');
    chmodSync(join(root, folder, 'aws'), 0o755);
  }
  const path = folders.map((folder) => join(root, folder)).join(':');
  const controller = new AbortController();
  const ensure = (PATH: string | undefined = path): Promise<AwsCli> =>
    ensureAwsCli({
      env: { PATH },
      cacheDir: join(root, 'cache'),
      clock: createFakeClock(),
      signal: controller.signal,
      onInstall: (message) => told.push(message),
      run: async (file, args) => {
        ran.push([file.replace(root, ''), ...args].join(' '));
        return answer(file.replace(root, ''), args);
      },
    });
  return { ensure, ran, told, controller, cached: join(root, 'cache', 'aws-cli-1.45.64') };
}

describe('ensureAwsCli', () => {
  const newEnough = ['2.13.0', '2.31.7', '1.29.0', '1.45.64', '3.0.0'];
  for (const version of newEnough) {
    it(`takes version ${version} from the PATH and installs nothing`, async () => {
      const { ensure, ran, told } = machine(['bin'], () =>
        said(`aws-cli/${version} Python/3.11.7 Linux/6\n`),
      );
      const binDir = join(root, 'bin');
      assert.deepEqual(await ensure(), { kind: 'found', command: join(binDir, 'aws'), binDir, version });
      assert.deepEqual(ran, ['/bin/aws --version']);
      assert.deepEqual(told, []);
    });
  }

  const tooOld = ['2.12.9', '2.9.19', '1.28.99', '0.9.0'];
  for (const version of tooOld) {
    it(`installs its own where the PATH has version ${version}, which ignores AWS_ENDPOINT_URL_STS`, async () => {
      const { ensure, told, cached } = machine(['bin'], (file) =>
        file === '/bin/aws' ? said(`aws-cli/${version} Python/3.9\n`) : said(''),
      );
      const found = await ensure();
      assert.equal(found.kind === 'found' && found.binDir, join(cached, 'bin'));
      assert.ok((told[0] ?? '').includes(`version ${version}, too old`), told[0] ?? 'nothing');
    });
  }

  it('passes over an old aws for a new one later on the PATH', async () => {
    const { ensure } = machine(['one', 'two'], (file) =>
      said(file === '/one/aws' ? 'aws-cli/2.9.19 Python/3' : 'aws-cli/2.20.1 Python/3'),
    );
    const found = await ensure();
    assert.equal(found.kind === 'found' && found.command, join(root, 'two', 'aws'));
  });

  it('reads a version that is written to stderr', async () => {
    const { ensure } = machine(['bin'], () => said('', 0, 'aws-cli/1.30.1 Python/2.7\n'));
    assert.equal((await ensure()).kind, 'found');
  });

  it('does not run what it finds in a relative folder of the PATH', async () => {
    const { ensure, ran } = machine([], () => said(''));
    await ensure('.:bin:');
    assert.deepEqual(
      ran.filter((line) => line.endsWith('--version')),
      [],
    );
  });

  it('installs into its cache with pinned versions once, and finds it there afterwards', async () => {
    const { ensure, ran, told, cached } = machine([], () => said(''));
    const expected = {
      kind: 'found',
      command: join(cached, 'bin', 'aws'),
      binDir: join(cached, 'bin'),
      version: '1.45.64',
    };
    assert.deepEqual(await ensure(), expected);
    assert.equal(ran[0], `python3 -m venv ${cached}`);
    assert.match(ran[1] ?? '', /-m pip install .*awscli==1.45.64/);
    assert.equal(told.length, 1);
    assert.deepEqual(await ensure(), expected);
    assert.equal(ran.length, 2, 'the second call runs nothing');
    assert.equal(told.length, 1);
  });

  const failures: readonly [string, CommandResult, RegExp][] = [
    [
      'there is no Python',
      { kind: 'failed', reason: 'not-found', message: 'there is no python3' },
      /no aws command on the PATH.*there is no python3.*Install an AWS CLI of version 2\.13/,
    ],
    [
      'Python has no venv module',
      said('', 1, 'Traceback\nNo module named venv\n'),
      /python3 ended with status 1: No module named venv/,
    ],
  ];
  for (const [name, result, expected] of failures) {
    it(`says why not when ${name}, and tries afresh the next time`, async () => {
      let answer = result;
      const { ensure, cached } = machine([], () => answer);
      const missing = await ensure();
      assert.match(missing.kind === 'missing' ? missing.reason : '', expected);
      assert.equal(isInstalled(cached), false);
      answer = said('');
      assert.equal((await ensure()).kind, 'found');
    });
  }

  it('throws the reason of the signal rather than calling the CLI missing', async () => {
    const { ensure, controller } = machine([], () => {
      controller.abort(new Error('interrupted'));
      return said('', 1, 'killed');
    });
    await assert.rejects(ensure(), /interrupted/);
  });
});

describe('parseAwsVersion', () => {
  it('reads every version that it is given', () => {
    const part = fc.nat({ max: 9_999 });
    fc.assert(
      fc.property(part, part, part, fc.stringMatching(/^( [^\n]*)?$/), (major, minor, patch, rest) => {
        assert.deepEqual(parseAwsVersion(`aws-cli/${major}.${minor}.${patch}${rest}\n`), [
          major,
          minor,
          patch,
        ]);
      }),
    );
  });

  for (const text of ['', 'aws version 2', 'xaws-cli/2.1.0', 'aws-cli/2.1', 'aws-cli/99999.1.1']) {
    it(`finds none in ${JSON.stringify(text)}`, () => assert.equal(parseAwsVersion(text), undefined));
  }
});

describe('awsCliRequirements', () => {
  it('pins every package to one version', () => {
    for (const line of awsCliRequirements) assert.match(line, /^[A-Za-z0-9-]+==[0-9][0-9a-z.]*$/);
  });
});
