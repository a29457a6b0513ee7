// The log goes to whoever collects it: a pipe, a file. Neither may stop answers, nor end the process.
import assert from 'node:assert/strict';
import { openSync } from 'node:fs';
import { before, describe, it } from 'node:test';
import { permittedKey, roleKey } from '../end-to-end/annotate.ts';
import { callerAt } from '../end-to-end/ask-agent.ts';
import { eventually } from '../end-to-end/eventually.ts';
import { createHarness, type Harness, type PodpassAgent, type PodpassServer } from '../end-to-end/harness.ts';
import type { RunOptions } from '../end-to-end/podpass-process.ts';
import { type SmallAws, startSmallAws } from '../end-to-end/small-aws.ts';
import { type SmallCluster, startSmallCluster } from '../end-to-end/small-cluster.ts';
import { suiteScope } from '../end-to-end/suite-scope.ts';
import { bundle } from './bundle.ts';

const bound = { timeout: 90_000 };
const nodeName = 'node-1';
const pod = '127.81.0.1';
/** Each of their two requests leaves 300 bytes at the level `debug`; a pipe holds 64 kB, and 256 kB are kept for it. */
const questions = 1_000;

describe('the log', () => {
  const scope = suiteScope();
  let harness: Harness;
  let aws: SmallAws;
  let cluster: SmallCluster;
  let server: PodpassServer;

  before(async () => {
    harness = await createHarness(scope, await bundle());
    aws = await startSmallAws(scope, ['web', 'late']);
    cluster = await startSmallCluster(scope, harness);
    await cluster.createNamespace('team', { [permittedKey]: '.*' });
    await cluster.createPod({
      name: 'web',
      namespace: 'team',
      annotations: { [roleKey]: 'web' },
      nodeName,
      podIP: pod,
      hostIP: '127.0.0.1',
    });
    server = await harness.startServer({
      kubeconfig: cluster.kubeconfig,
      stsUrl: aws.url,
      env: aws.serverEnv,
    });
    await server.untilReady();
  }, bound);

  async function startAgent(run: RunOptions = {}): Promise<PodpassAgent> {
    const agent = await harness.startAgent({ nodeName, serverPorts: [server.port], run });
    await agent.untilReady();
    return agent;
  }

  async function assertServes({ port }: PodpassAgent, count: number): Promise<void> {
    let left = count;
    const ask = async () => {
      for (; left > 0; left -= 1) {
        const { status, millis } = await callerAt(port).ask(pod);
        assert.equal(status, 200);
        assert.ok(millis < 5_000, `answered after ${millis} ms`);
      }
    };
    await Promise.all(Array.from({ length: 16 }, ask));
  }

  it('stops no answer when its reader stops reading', bound, async () => {
    const agent = await startAgent();
    agent.stopReading();
    await assertServes(agent, questions);
    agent.readAgain();
    await eventually(() =>
      assert.ok(agent.log.some(({ msg }) => /lines of this log are lost/.test(msg ?? ''))),
    );
    await agent.terminate();
  });

  it('ends nothing when its reader is gone', bound, async () => {
    const agent = await startAgent();
    agent.hangUp();
    await assertServes(agent, 20);
    assert.equal(agent.ended, undefined);
    await agent.terminate();
  });

  it('ends nothing when the disk that it is written to is full', bound, async () => {
    const agent = await startAgent({ stderr: openSync('/dev/full', 'w') });
    await assertServes(agent, 20);
    assert.equal(agent.ended, undefined);
    await agent.terminate();
  });
});
