// An agent of a full node, in the memory that its manifest gives it, while pods take from it what they can.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { eventually } from '../end-to-end/eventually.ts';
import type { PodpassAgent } from '../end-to-end/harness.ts';
import { suiteScope } from '../end-to-end/suite-scope.ts';
import { startProcess } from '../parts/process.ts';
import { note } from './figures.ts';
import { memoryLimitOf } from './manifest-limits.ts';
import { limitMemory, type MemoryLimit, peakMemory } from './memory-limit.ts';
import { isLong } from './settings.ts';
import { createSmallWorld, type SmallWorld } from './small-world.ts';

const bound = { timeout: 180_000 };
const pods = Array.from({ length: 110 }, (_, i) => `127.83.0.${i + 1}`);
const hostile = pods.slice(0, 5);
const honest = pods.slice(5);
const attackMillis = isLong ? 60_000 : 6_000;
/** Of each hostile pod. 1,100 are more than it may have, and five times that more than the door takes. */
const connections = isLong ? 1_100 : 400;

describe('the memory of an agent', () => {
  const scope = suiteScope();
  let world: SmallWorld;
  let agent: PodpassAgent;
  let limit: MemoryLimit;
  let limitBytes: number;

  before(async () => {
    world = await createSmallWorld(scope, pods);
    limitBytes = memoryLimitOf('agent.yaml');
    limit = limitMemory(scope, limitBytes);
    agent = await world.startAgent({ through: limit.through }, ['--level=info']);
    await world.untilServed(agent, pods);
    note('agent, 110 pods: memory', `${mb(peakMemory(agent.pid))} at the most before any load; ${limit.how}`);
  }, bound);

  const attacks = [
    ['connections that say nothing', 'silent'],
    ['headers that never end', 'endless-headers'],
    ['thousands of requests in one write', 'bulk'],
    ['bodies that are announced and do not come', 'missing-bodies'],
  ] as const;

  for (const [what, kind] of attacks)
    it(`is kept, and others are served, with ${what}`, bound, async () => {
      const attackers = startProcess({
        title: 'attackers',
        file: process.execPath,
        args: [
          join(import.meta.dirname, 'attackers.ts'),
          String(agent.port),
          kind,
          String(connections),
          ...hostile,
        ],
      });
      const end = performance.now() + attackMillis;
      let longest = 0;
      let asked = 0;
      try {
        while (performance.now() < end) {
          const answer = await agent.ask(honest[asked++ % honest.length] ?? '').catch((error: Error) => {
            const end = agent.ended ?? 'runs';
            throw new Error(`${error.message}; the agent ${end}; ${limit.kills()} were killed for memory`);
          });
          assert.equal(answer.status, 200, answer.body);
          longest = Math.max(longest, answer.millis);
          await setTimeout(50);
        }
        assert.equal(attackers.ended, undefined, attackers.log());
      } finally {
        await attackers.stop();
      }
      assert.equal(agent.ended, undefined);
      assert.equal(limit.kills(), 0);
      assert.ok(peakMemory(agent.pid) < limitBytes, `${mb(peakMemory(agent.pid))} of ${mb(limitBytes)}`);
      note(
        `agent, 110 pods, 5 hostile with ${connections} connections each (${what})`,
        `${mb(peakMemory(agent.pid))} at the most so far; ${asked} others asked and were served, at the latest after ${Math.round(longest)} ms`,
      );
      await eventually(async () => assert.ok((await agent.metric('podpass_metadata_connections')) < 10));
    });
});

function mb(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
