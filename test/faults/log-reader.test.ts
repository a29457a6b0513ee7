// The log goes to whoever collects it: a pipe, a file. Neither may stop answers, nor end the process.
import assert from 'node:assert/strict';
import { openSync } from 'node:fs';
import { before, describe, it } from 'node:test';
import { eventually } from '../end-to-end/eventually.ts';
import type { PodpassAgent } from '../end-to-end/harness.ts';
import { suiteScope } from '../end-to-end/suite-scope.ts';
import { createSmallWorld, type SmallWorld } from './small-world.ts';

const bound = { timeout: 90_000 };
const pod = '127.81.0.1';
/** Each of their two requests leaves 300 bytes at the level `debug`; a pipe holds 64 kB, and 256 kB are kept for it. */
const questions = 1_000;

describe('the log', () => {
  const scope = suiteScope();
  let world: SmallWorld;

  before(async () => {
    world = await createSmallWorld(scope, [pod]);
  }, bound);

  async function assertServes(agent: PodpassAgent, count: number): Promise<void> {
    let left = count;
    const ask = async () => {
      for (; left > 0; left -= 1) {
        const { status, millis } = await agent.ask(pod);
        assert.equal(status, 200);
        assert.ok(millis < 5_000, `answered after ${millis} ms`);
      }
    };
    await Promise.all(Array.from({ length: 16 }, ask));
    assert.equal(agent.ended, undefined);
  }

  it(
    'stops no answer of an agent when its reader stops reading, and says what is missing',
    bound,
    async () => {
      const agent = await world.startAgent();
      agent.stopReading();
      await assertServes(agent, questions);
      assert.ok((await agent.metric('podpass_log_lines_lost_total')) > 0);
      agent.readAgain();
      const said = /^\d+ lines of this log are lost/;
      await eventually(() => assert.ok(agent.log.some(({ msg }) => said.test(msg ?? ''))));
      assert.ok(
        agent.log.every(({ level }) => level !== 'crash'),
        'every line is whole',
      );
      await agent.terminate();
    },
  );

  it('ends no agent when its reader is gone', bound, async () => {
    const agent = await world.startAgent();
    agent.hangUp();
    await assertServes(agent, 50);
    await agent.terminate();
  });

  it('ends no agent when the disk that it is written to is full', bound, async () => {
    const agent = await world.startAgent({ stderr: openSync('/dev/full', 'w') });
    await assertServes(agent, 50);
    assert.ok((await agent.metric('podpass_log_lines_lost_total')) > 50);
    await agent.terminate();
  });

  it('stops and ends no server either', bound, async () => {
    const stderr = openSync('/dev/full', 'w');
    const { cluster, aws, harness, nodeName } = world;
    const where = { kubeconfig: cluster.kubeconfig, stsUrl: aws.url, env: aws.serverEnv };
    for (const run of [{ stderr }, {}]) {
      const server = await harness.startServer({ ...where, run });
      await server.untilReady();
      server.stopReading();
      const agent = await harness.startAgent({ nodeName, serverPorts: [server.port] });
      await agent.untilReady();
      await assertServes(agent, 1);
      assert.equal(server.ended, undefined);
      await agent.terminate();
      await server.terminate();
    }
  });
});
