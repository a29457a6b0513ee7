// deploy/image without its base image: the files it adds, laid out in a folder of their own, with nothing of this machine
// but Node and the libraries that it loads.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { readKiamManifest } from './end-to-end/kiam-workload.ts';
import { kube2iamContainer } from './end-to-end/kube2iam-workload.ts';
import { needs } from './parts/availability.ts';
import { projectRoot } from './parts/locations.ts';

const folder = join(projectRoot, 'deploy', 'image');
const containerfile = readFileSync(join(folder, 'Containerfile'), 'utf8');
const dist = join(projectRoot, 'dist');

describe('the image', needs('netns'), () => {
  const root = mkdtempSync(join(tmpdir(), 'podpass-image-'));
  after(() => rmSync(root, { recursive: true, force: true }));

  function addFile(from: string, to: string): void {
    mkdirSync(join(root, dirname(to)), { recursive: true });
    cpSync(realpathSync(from), join(root, to));
  }

  /** A program with the libraries that `ldd` names. */
  function addProgram(from: string, to: string): void {
    addFile(from, to);
    const libraries = execFileSync('ldd', [from], { encoding: 'utf8' });
    for (const [path] of libraries.matchAll(/\/\S+(?= \(0x)/g)) addFile(path, path);
  }

  before(() => {
    chmodSync(root, 0o755);
    if (!existsSync(join(dist, 'podpass.mjs')))
      execFileSync(process.execPath, [join(projectRoot, 'scripts', 'build.ts')], {
        stdio: 'ignore',
        timeout: 100_000,
      });
    addProgram(process.execPath, '/usr/local/bin/node');
    addProgram('/usr/bin/env', '/usr/bin/env');
    addProgram('/bin/sh', '/bin/sh');
    cpSync(dist, join(root, 'opt', 'podpass'), { recursive: true });
    execFileSync('sh', [join(folder, 'entry-points.sh'), root]);
  });

  function inside(args: readonly string[], user = '0:0') {
    const { status, stdout, stderr, error } = spawnSync(
      '/usr/sbin/chroot',
      [`--userspec=${user}`, root, ...args],
      {
        env: { PATH: '/usr/local/bin:/usr/bin' },
        encoding: 'utf8',
        timeout: 30_000,
      },
    );
    if (error) throw error;
    return { status, stdout, stderr };
  }

  it('adds what the test lays out', () => {
    assert.match(containerfile, /^COPY --from=node \/usr\/local\/bin\/node \/usr\/local\/bin\/node$/m);
    assert.match(containerfile, /^COPY dist \/opt\/podpass$/m);
    assert.match(containerfile, /^RUN sh \/tmp\/entry-points\.sh \/ /m);
    assert.match(containerfile, /^FROM files AS kube2iam\nENTRYPOINT \["\/kube2iam"\]$/m);
    // The last one is what is built where none is named.
    assert.match(containerfile, /\nFROM files\nENTRYPOINT \["\/podpass"\]\n$/);
  });

  for (const user of ['0:0', '65532:65532']) {
    it(`has the commands of kiam's manifests for the user ${user}`, () => {
      assert.match(readKiamManifest('server.daemonset.yaml'), /^ +- \/kiam$/m);
      for (const program of ['/kiam', '/podpass']) {
        for (const command of ['agent', 'server', 'health']) {
          const { status, stdout, stderr } = inside([program, command, '--help'], user);
          assert.equal(status, 0, stderr);
          assert.match(stdout, /--server-address|--bind/);
        }
      }
    });
  }

  it('runs podpass standalone for manifests that name no command, as kube2iam does', () => {
    const { command, args } = kube2iamContainer();
    assert.equal(command, undefined);
    const help = inside(['/kube2iam', '--help']);
    assert.match(help.stdout, /auto-discover-base-arn/);
    // Nobody has filled in the variables here: it comes as far as to look at its arguments.
    const { status, stderr } = inside([
      '/kube2iam',
      ...args,
      '--default-role=x',
      '--auto-discover-default-role',
    ]);
    assert.equal(status, 1);
    assert.match(stderr, /You cannot use --default-role and --auto-discover-default-role at the same time/);
  });

  it('loads what a command needs, from where the link leads', () => {
    const { status, stderr } = inside(['/kiam', 'health', '--cert=/no.pem', '--key=/no.pem', '--ca=/no.pem']);
    assert.equal(status, 1);
    assert.match(stderr, /^podpass: error: .*no\.pem/);
  });
});
