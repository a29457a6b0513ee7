// `podpass sandbox` as a person uses it: one terminal where it runs, another with kubectl and `sandbox exec`.
import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { annotateNamespace, annotatePod, permittedKey, roleKey } from './end-to-end/annotate.ts';
import { eventually } from './end-to-end/eventually.ts';
import {
  arnIn,
  assertEmpty,
  clientOf,
  isAlive,
  newFolder,
  podpass,
  type Running,
  runIn,
  startSandbox,
  whoAmI,
} from './end-to-end/sandbox-terminal.ts';
import { suiteScope } from './end-to-end/suite-scope.ts';
import { needs } from './parts/availability.ts';
import { partPath } from './parts/catalogue.ts';
import type { ClusterClient } from './parts/cluster-client.ts';

const bound = { timeout: 90_000 };

describe('sandbox exec in a sandbox of its own', () => {
  it('is the pod, and ends as the command does', bound, async () => {
    const temporary = await newFolder();
    const pod = 'session-name-example/reader';
    const { status, stdout, stderr } = await podpass(temporary, 'sandbox', 'exec', pod, '--', ...whoAmI);
    assert.equal(status, 0, stderr);
    assert.equal(
      arnIn(stdout),
      'arn:aws:sts::123456789012:assumed-role/session-name-reader/kiam-my-session-name',
    );
    assert.equal(stderr, '');
    assert.deepEqual(await readdir(temporary), [], 'nothing is left behind');
  });

  it('says why a pod gets nothing, and keeps the status of the command', bound, async () => {
    const command = [process.execPath, '--eval', 'process.exit(7)'];
    const pod = 'locked-example/wants-admin';
    const { status, stderr } = await podpass(await newFolder(), 'sandbox', 'exec', pod, '--', ...command);
    assert.equal(status, 7);
    assert.equal(
      stderr,
      'podpass: locked-example/wants-admin gets no credentials (403): pod locked-example/wants-admin may not have the ' +
        'role cluster-admin: annotation iam.amazonaws.com/permitted of namespace locked-example is ' +
        '"arn:aws:iam::123456789012:role/logs-.*", which does not match the role. ' +
        'Permit the role there, or bind the pod to another.\n',
    );
  });
});

describe('a sandbox that runs', () => {
  const scope = suiteScope();
  let running: Running;
  let client: ClusterClient;

  before(async () => {
    running = await startSandbox(scope);
    client = await clientOf(running);
    scope.after(async () => client.close());
  }, bound);

  const exec = (pod: string, ...command: readonly string[]) =>
    podpass(running.temporary, 'sandbox', 'exec', pod, '--', ...command);

  async function isServed(pod: string, roleName: string | undefined): Promise<void> {
    await eventually(async () => {
      const { stdout } = await exec(pod, ...whoAmI);
      assert.equal(arnIn(stdout)?.split('/')[1], roleName);
    }, 30_000);
  }

  /** Where clients become the pod, as the sandbox printed it. */
  function doorOf(pod: string): string {
    const line = running.lines.findLast((text) => text.includes(` ${pod} `) && text.includes('http://'));
    return /http:\/\/\S+/.exec(line ?? '')?.[0] ?? '';
  }

  it('is the one that exec uses', bound, async () => {
    const program = 'console.log(process.env.AWS_EC2_METADATA_SERVICE_ENDPOINT)';
    const { stdout } = await exec('iam-example/no-role', process.execPath, '--eval', program);
    assert.equal(stdout.trim(), doorOf('iam-example/no-role'));
    assert.ok(running.pids.every(isAlive));
  });

  it('lets exec in through standalone, which serves the same pods', bound, async () => {
    const pod = 'iam-example/reportingdb-reader';
    const words = ['sandbox', 'exec', '--standalone', pod, '--'];
    const program = 'console.log(process.env.AWS_EC2_METADATA_SERVICE_ENDPOINT)';
    const door = await podpass(running.temporary, ...words, process.execPath, '--eval', program);
    const shown = running.lines.find((text) => text.includes(` ${pod} `))?.split(/ +/);
    assert.equal(door.stdout.trim(), shown?.at(-1));
    assert.notEqual(door.stdout.trim(), doorOf(pod));
    const { stdout } = await podpass(running.temporary, ...words, ...whoAmI);
    assert.equal(arnIn(stdout), 'arn:aws:sts::123456789012:assumed-role/reportingdb-reader/kiam-kiam');
  });

  it('says nothing of credentials where a command fails by itself', bound, async () => {
    const { status, stderr } = await exec(
      'iam-example/reportingdb-reader',
      ...[process.execPath, '--eval', 'process.exit(3)'],
    );
    assert.equal(status, 3);
    assert.equal(stderr, '');
  });

  it('names the pods there are, to exec for one that is not there', bound, async () => {
    const { status, stdout, stderr } = await exec('iam-example/nobody', 'true');
    assert.equal(status, 1);
    assert.equal(stdout, '');
    assert.match(stderr, /^podpass: error: there is no running pod "iam-example\/nobody" in the sandbox/);
    assert.match(stderr, /\n {2}iam-example\/reportingdb-reader\n/);
  });

  it('says so when there is no such command', bound, async () => {
    const { status, stderr } = await exec('iam-example/no-role', '/no/such/command');
    assert.equal(status, 1);
    assert.match(stderr, /^podpass: error: cannot run "\/no\/such\/command": .*ENOENT/);
  });

  it('serves a pod the role it is annotated with later, without a restart', bound, async () => {
    await isServed('iam-example/no-role', undefined);
    await annotatePod(client, 'iam-example', 'no-role', { [roleKey]: 'logs-writer' });
    await isServed('iam-example/no-role', 'logs-writer');
    await eventually(() =>
      assert.ok(running.lines.includes('pod  iam-example/no-role iam.amazonaws.com/role: "logs-writer"')),
    );
    assert.ok(running.pids.every(isAlive));
  });

  it('serves a namespace what it permits later', bound, async () => {
    await isServed('unlisted-example/reader', undefined);
    await annotateNamespace(client, 'unlisted-example', { [permittedKey]: '.*/reportingdb-reader' });
    await isServed('unlisted-example/reader', 'reportingdb-reader');
  });

  describe('with kubectl', needs('kubectl'), () => {
    async function kubectl(...args: readonly string[]): Promise<string> {
      const cache = `--cache-dir=${join(running.temporary, 'kubectl')}`;
      const env = { KUBECONFIG: running.kubeconfig };
      const ended = await runIn(running.temporary, partPath('kubectl'), [cache, ...args], env);
      assert.equal(ended.status, 0, ended.stderr);
      return ended.stdout;
    }

    it('takes the line that it says to paste, and tells of the change', bound, async () => {
      const line = running.lines.find((text) => text.trim().startsWith('kubectl annotate')) ?? '';
      const [, namespace, name, role] = / -n (\S+) (\S+) iam\.amazonaws\.com\/role=(\S+)/.exec(line) ?? [];
      await kubectl(...line.trim().split(' ').slice(1));
      const told = `pod  ${namespace}/${name} iam.amazonaws.com/role: "${role}"`;
      await eventually(() => assert.ok(running.lines.includes(told), told));
    });

    it('serves a running pod the role that it is given', bound, async () => {
      const change = ['iam.amazonaws.com/role=cluster-admin', '--overwrite'];
      await kubectl('annotate', 'pod', '-n', 'iam-example', 'no-role', ...change);
      await isServed('iam-example/no-role', 'cluster-admin');
      assert.ok(running.pids.every(isAlive));
    });

    it('runs a pod that is applied, and shows its events', bound, async () => {
      const manifest = join(running.temporary, 'pod.json');
      const metadata = {
        name: 'applied',
        namespace: 'locked-example',
        annotations: { [roleKey]: 'cluster-admin' },
      };
      const spec = { containers: [{ name: 'app', image: 'example.invalid/app' }] };
      await writeFile(manifest, JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata, spec }));
      assert.equal(await kubectl('apply', '-f', manifest), 'pod/applied created\n');
      await eventually(async () =>
        assert.match(
          await kubectl('describe', 'pod', '-n', 'locked-example', 'applied'),
          /KiamRoleForbidden/,
        ),
      );
      assert.match(await kubectl('get', 'pods', '-A'), /locked-example +applied +1\/1 +Running/);
    });
  });

  it('closes the door of a pod that is deleted', bound, async () => {
    const pod = 'cross-account-example/reader';
    const door = doorOf(pod);
    assert.ok((await fetch(`${door}/ping`)).ok);
    await client.must('DELETE', '/api/v1/namespaces/cross-account-example/pods/reader');
    await eventually(() => assert.rejects(fetch(`${door}/ping`)));
    await eventually(async () => {
      const { status, stderr } = await exec(pod, 'true');
      assert.equal(status, 1);
      assert.match(stderr, /there is no running pod "cross-account-example\/reader"/);
    });
  });

  it('ends all its processes when it is asked to, and leaves nothing behind', bound, async () => {
    await running.process.stop('SIGTERM', 20_000);
    assert.equal(running.process.ended, 'ended with status 0');
    assert.deepEqual(running.pids.filter(isAlive), []);
    assertEmpty(running.temporary);
  });
});
