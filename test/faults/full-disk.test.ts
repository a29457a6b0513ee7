// The one file that podpass writes: the key of session tokens of a standalone node. A full disk must not keep the node's
// pods from their credentials.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { callerAt } from '../end-to-end/ask-agent.ts';
import { eventually } from '../end-to-end/eventually.ts';
import { startPodpass } from '../end-to-end/podpass-process.ts';
import { region, roleBaseArn } from '../end-to-end/small-aws.ts';
import { suiteScope } from '../end-to-end/suite-scope.ts';
import { freePorts } from '../parts/free-ports.ts';
import { stopWith } from '../parts/scope.ts';
import { bundle } from './bundle.ts';
import { createSmallWorld, type SmallWorld } from './small-world.ts';

const bound = { timeout: 90_000 };
const pod = '127.85.0.1';
/** Only root may mount; .ci/run is root. */
const skip = process.getuid?.() === 0 ? false : 'needs root, to mount a small tmpfs';

describe('a full disk', { skip }, () => {
  const scope = suiteScope();
  let world: SmallWorld;
  let disk: string;

  before(async () => {
    world = await createSmallWorld(scope, [pod]);
    disk = join(world.harness.folder, 'disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', disk]);
    stopWith(scope, async () => void execFileSync('umount', [disk]));
  }, bound);

  it(
    'keeps no standalone node from starting and serving, which says that tokens end with it',
    bound,
    async () => {
      assert.throws(() => writeFileSync(join(disk, 'filler'), Buffer.alloc(64_000)), { code: 'ENOSPC' });
      const [port = 0] = await freePorts(1);
      const standalone = await startPodpass({
        scope,
        program: await bundle(),
        command: 'standalone',
        env: world.aws.serverEnv,
        flags: [
          `--kubeconfig=${world.cluster.kubeconfig}`,
          `--node=${world.nodeName}`,
          '--listen-host=127.0.0.1',
          `--app-port=${port}`,
          `--base-role-arn=${roleBaseArn}`,
          `--sts-endpoint=${world.aws.url}`,
          `--region=${region}`,
          '--metadata-addr=127.0.0.1:9',
          `--token-key-file=${join(disk, 'token-key')}`,
        ],
      });
      await standalone.untilReady();
      const door = callerAt(port);
      await eventually(async () => {
        const token = await door.token(pod);
        assert.equal((await door.ask(pod, token)).status, 200);
      });
      assert.ok(
        standalone.log.some(({ msg = '' }) =>
          /no space left.*Session tokens end with this process/i.test(msg),
        ),
      );
      assert.deepEqual(readdirSync(disk), ['filler'], 'no half of a key is left');
    },
  );
});
