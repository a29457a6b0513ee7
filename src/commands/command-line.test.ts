import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '../base/clock.ts';
import { systemRandom } from '../base/random.ts';
import { createCertificates } from '../sandbox/certificates.ts';
import { createProgram, runCommandLine } from './command-line.ts';
import { version } from './version.ts';

const main = join(import.meta.dirname, '..', 'main.ts');

function run(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], { timeout: 20_000 }, (error, stdout, stderr) => {
      resolve({ status: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr });
    });
  });
}

/** Without a process of its own, for what ends before a command runs. */
async function runHere(...args: string[]): Promise<{ status: number; out: string; error: string }> {
  const said = { out: '', error: '' };
  const status = await runCommandLine(['node', 'podpass', ...args], {
    out: (text) => {
      said.out += text;
    },
    error: (text) => {
      said.error += text;
    },
  });
  return { status, ...said };
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

  it('shows what there is on standard error when no command is given, and that is no error, as with kiam', async () => {
    const { status, out, error } = await runHere();
    assert.equal(status, 0);
    assert.equal(out, '');
    assert.match(error, /^Usage: podpass .*\n/);
  });

  for (const args of [
    ['help', 'agent'],
    ['agent', '--help'],
  ]) {
    it(`helps within 80 columns: podpass ${args.join(' ')}`, async () => {
      const { status, out, error } = await runHere(...args);
      assert.deepEqual([status, error], [0, '']);
      assert.match(out, /^Certificates:\n {2}--cert FILE +Own certificate, PEM. \(required\)$/m);
      const tooLong = out.split('\n').filter((line) => line.length > 80);
      assert.deepEqual(tooLong, []);
    });
  }

  it('helps with every command at once, as kiam does', async () => {
    const { status, out } = await runHere('--help-long');
    assert.equal(status, 0);
    for (const command of createProgram().commands)
      assert.match(out, new RegExp(`^Usage: podpass ${command.name()}`, 'm'));
  });

  it("has kiam's names for the completion scripts", async () => {
    for (const shell of ['bash', 'zsh'])
      assert.deepEqual(await runHere(`--completion-script-${shell}`), await runHere('completion', shell));
  });

  const tls = ['cert', 'key', 'ca'].map((name) => `--${name}=${import.meta.filename}`);
  const mistakes: [string[], RegExp][] = [
    [['agnet'], /^podpass: error: unknown command 'agnet' \(Did you mean agent\?\), try "podpass --help"$/],
    [['agent', 'more'], /too many arguments for 'agent'.*, try "podpass agent --help"$/],
    [['completion', 'tcsh'], /Allowed choices are bash, zsh, fish, try "podpass completion --help"$/],
    ...['agent', 'server', 'health'].flatMap((command): [string[], RegExp][] => [
      [
        [command],
        /error: missing: --cert FILE, --key FILE, --ca FILE; give them, or set PODPASS_CERT, .*, try/,
      ],
      [
        [command, ...tls, '--nonsense'],
        new RegExp(`unknown option '--nonsense', try "podpass ${command} --help"$`),
      ],
      [
        [command, ...tls, '--json-log=true'],
        /error: --json-log takes no value: write --json-log or --no-json-log, try/,
      ],
      [
        [command, ...tls, '--level=trace'],
        /--level "trace": it must be one of debug, info, warn, error, try/,
      ],
      [[command, ...tls, '--level'], /option '--level <CHOICE>' argument missing, try/],
      [[command, ...tls, '--no-level'], /unknown option '--no-level'/],
      [
        [command, '@/nonexistent'],
        /error: cannot read arguments from "\/nonexistent": ENOENT.* names a file with one/,
      ],
    ]),
    [['agent', ...tls, '--pod-wait=1'], /--pod-wait "1": it must be a duration such as 10s/],
    [['agent', ...tls, '--port=http'], /--port "http": it must be a whole number from 0 to 65535/],
    [['agent', ...tls, '--imds=v3'], /--imds "v3": it must be one of v2-preferred, v2-required/],
    [
      ['agent', ...tls, '--prometheus-sync-interval=5'],
      /--prometheus-sync-interval "5": it must be a duration/,
    ],
    [['server', ...tls, '--session-duration=5m'], /--session-duration "5m": it must be at least 15m/],
    [['server', ...tls, '--session-refresh=soon'], /--session-refresh "soon": it must be a duration/],
    [['server', ...tls, '--fetchers=some'], /--fetchers "some": it must be a whole number/],
    [['health', ...tls, '--timeout=-1s'], /--timeout "-1s": it must be at least 0s/],
  ];
  for (const [args, words] of mistakes) {
    const shown = args.filter((arg) => !tls.includes(arg)).join(' ');
    it(`ends with status 1 and one line that helps: podpass ${shown}`, async () => {
      const { status, out, error } = await runHere(...args);
      assert.deepEqual([status, out], [1, '']);
      assert.match(error.trimEnd(), words);
      assert.equal(error.trimEnd().split('\n').length, 1);
    });
  }

  it('names the variable whose value is wrong', async () => {
    process.env.PODPASS_TIMEOUT = 'long';
    try {
      const { status, error } = await runHere('health', ...tls);
      assert.equal(status, 1);
      assert.match(error, /^podpass: error: PODPASS_TIMEOUT "long": it must be a duration/);
    } finally {
      delete process.env.PODPASS_TIMEOUT;
    }
  });

  const started: [string[], RegExp][] = [
    [['agent', ...tls], /NODE_NAME|--node-name/],
    [['agent', ...tls, '--node-name=n'], /--cert .*command-line.test.ts has no certificate in it/],
    [
      ['health', ...tls, '--cert=/nonexistent.pem'],
      /cannot read --cert \/nonexistent\.pem: .*Check the mount/,
    ],
    [['server', ...tls, '--ca=/tmp'], /cannot read --ca \/tmp: it is not a file\. Check the mount/],
    [['server', ...tls, '--prometheus-listen-addr=x'], /--prometheus-listen-addr "x" is not HOST:PORT/],
    [['server', ...tls, '--pprof-listen-addr=6060'], /--pprof-listen-addr "6060" is not HOST:PORT/],
  ];
  for (const [args, words] of started) {
    const shown = args.filter((arg) => !tls.includes(arg)).join(' ');
    it(`ends with status 1 and one line that helps, as a process: podpass ${shown}`, async () => {
      const { status, stdout, stderr } = await run(...args);
      assert.deepEqual([status, stdout], [1, '']);
      assert.match(stderr, words);
      const said = stderr.split('\n').filter((line) => line.startsWith('podpass: '));
      assert.equal(said.length, 1);
      assert.doesNotMatch(stderr, /\n {4}at /);
    });
  }

  describe('with certificates', () => {
    let folder: string;
    let files: readonly string[];

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'podpass-test-'));
      const { ca, server } = await createCertificates({
        clock: systemClock,
        random: systemRandom,
        serverNames: ['localhost'],
        validDays: 1,
      });
      const texts = Object.entries({ cert: server.cert, key: server.key, ca });
      for (const [name, text] of texts) await writeFile(join(folder, name), text);
      files = texts.map(([name]) => `--${name}=${join(folder, name)}`);
    });
    after(() => rm(folder, { recursive: true, force: true }));

    it('ends when it fails after it has begun to listen', async () => {
      const { status, stderr } = await run(
        'server',
        ...files,
        '--role-base-arn=arn:aws:iam::123456789012:role/',
        '--sts-endpoint=http://127.0.0.1:9',
        '--prometheus-listen-addr=127.0.0.1:0',
        `--kubeconfig=${join(folder, 'none')}`,
      );
      assert.equal(status, 1);
      assert.match(stderr, /podpass: error: .*none/);
    });

    it('waits for a server as long as it may, and then says what is wrong', async () => {
      const flags = ['--server-address=127.0.0.1:9', '--gateway-timeout-creation=350ms'];
      const { status, stdout, stderr } = await run('health', ...files, ...flags);
      assert.deepEqual([status, stdout], [1, '']);
      const [, line = ''] = /^podpass: error: (.*)\n$/.exec(stderr) ?? [];
      assert.match(
        line,
        /^no server could be connected to within 350ms \(--gateway-timeout-creation\): .*127\.0\.0\.1:9/,
      );
    });
  });

  it('loads neither the AWS SDK nor the kubeconfig library nor the profiler for an agent', async () => {
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
      '/src/telemetry/profile-',
      '/src/commands/completion-script',
    ]) {
      assert.equal(isLoaded(name), false, name);
    }
  });
});
