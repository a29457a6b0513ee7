import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { systemClock } from '../base/clock.ts';
import { systemRandom } from '../base/random.ts';
import { createCertificates } from '../sandbox/certificates.ts';
import { createProgram } from './command-line.ts';
import { version } from './version.ts';

const main = join(import.meta.dirname, '..', 'main.ts');

function run(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], { timeout: 20_000 }, (error, stdout, stderr) => {
      resolve({ status: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr });
    });
  });
}

describe('the command line', () => {
  it('lists every command with what it is for', async () => {
    const { status, stdout } = await run('--help');
    assert.equal(status, 0);
    for (const command of createProgram().commands) {
      assert.match(stdout, new RegExp(`\\n  ${command.name()} `));
      assert.ok(command.description().length > 20, command.name());
    }
  });

  it('knows its version', async () => {
    assert.deepEqual(await run('--version'), { status: 0, stdout: `${version}\n`, stderr: '' });
  });

  const mistakes: [string[], RegExp][] = [
    [['agnet'], /unknown command 'agnet'/],
    [
      ['agent', '--cert=a', '--key=b', '--ca=c', '--nonsense'],
      /unknown option '--nonsense', try "podpass agent --help"/,
    ],
    [['agent'], /required option '--cert <FILE>' not specified, try "podpass agent --help"/],
    [['server', '--cert=a', '--key=b', '--ca=c', '--session-duration=5m'], /at least 15m/],
    [['agent', '--cert=a', '--key=b', '--ca=c'], /NODE_NAME|--node-name/],
    [['agent', '--cert=/nonexistent.pem', '--key=b', '--ca=c', '--node-name=n'], /\/nonexistent\.pem/],
    [
      ['server', '--cert=a', '--key=b', '--ca=c', '--prometheus-listen-addr=x'],
      /--prometheus-listen-addr "x" is not HOST:PORT/,
    ],
  ];
  for (const [args, words] of mistakes) {
    it(`ends with status 1 and one line that helps: podpass ${args.join(' ')}`, async () => {
      const { status, stdout, stderr } = await run(...args);
      assert.equal(status, 1);
      assert.equal(stdout, '');
      assert.match(stderr, words);
      const said = stderr.split('\n').filter((line) => line.startsWith('podpass: '));
      assert.equal(said.length, 1);
      assert.doesNotMatch(stderr, /\n {4}at /);
    });
  }

  it('ends when it fails after it has begun to listen', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'podpass-test-'));
    try {
      const { ca, server } = await createCertificates({
        clock: systemClock,
        random: systemRandom,
        serverNames: ['localhost'],
        validDays: 1,
      });
      const file = async (name: string, text: string) => {
        await writeFile(join(folder, name), text);
        return join(folder, name);
      };
      const { status, stderr } = await run(
        'server',
        `--cert=${await file('cert.pem', server.cert)}`,
        `--key=${await file('key.pem', server.key)}`,
        `--ca=${await file('ca.pem', ca)}`,
        '--role-base-arn=arn:aws:iam::123456789012:role/',
        '--sts-endpoint=http://127.0.0.1:9',
        '--prometheus-listen-addr=127.0.0.1:0',
        `--kubeconfig=${join(folder, 'none')}`,
      );
      assert.equal(status, 1);
      assert.match(stderr, /podpass: error: .*none/);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('loads neither the AWS SDK nor the kubeconfig library for an agent', async () => {
    const script = `
      const { registerHooks } = await import('node:module');
      const loaded = [];
      registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
      const { createProgram } = await import(${JSON.stringify(join(import.meta.dirname, 'command-line.ts'))});
      createProgram();
      await import(${JSON.stringify(join(import.meta.dirname, 'agent-run.ts'))});
      console.log(JSON.stringify(loaded));
    `;
    const stdout = await new Promise<string>((resolve) => {
      execFile(process.execPath, ['--input-type=module', '-e', script], (_error, out) => resolve(out));
    });
    const loaded = JSON.parse(stdout) as string[];
    const isLoaded = (name: string) => loaded.some((url) => url.includes(name));
    assert.ok(isLoaded('@grpc/grpc-js'), 'the agent loads gRPC');
    for (const name of [
      '@aws-sdk/',
      '@smithy/',
      '@kubernetes/client-node',
      '@peculiar/',
      '/src/sandbox/',
      '/src/credentials/assume',
    ]) {
      assert.equal(isLoaded(name), false, name);
    }
  });
});
