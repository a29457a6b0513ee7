// A process that may open few files: idle connections, of one pod or of many, must not keep others out, and nothing may
// be left of them.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { before, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { eventually } from '../end-to-end/eventually.ts';
import type { PodpassAgent } from '../end-to-end/harness.ts';
import { suiteScope } from '../end-to-end/suite-scope.ts';
import { createSmallWorld, type SmallWorld } from './small-world.ts';

const bound = { timeout: 90_000 };
/** What some systems give a container; the usual is more than a thousand. */
const files = 128;
const greedy = '127.82.0.1';
const modest = '127.82.0.2';
const many = Array.from({ length: 40 }, (_, i) => `127.82.1.${i + 1}`);

describe('a door that may open few files', () => {
  const scope = suiteScope();
  let world: SmallWorld;
  let agent: PodpassAgent;

  before(async () => {
    world = await createSmallWorld(scope, [greedy, modest, ...many]);
    agent = await world.startAgent({ through: ['/usr/bin/prlimit', `--nofile=${files}:${files}`] });
    await world.untilServed(agent, [greedy, modest, ...many]);
  }, bound);

  const openFiles = () => readdirSync(`/proc/${agent.pid}/fd`).length;

  /** Connects and says nothing. */
  function idle(from: string): Socket {
    return connect({ host: '127.0.0.1', port: agent.port, localAddress: from }).on('error', () => {});
  }

  async function assertServesWhile(idleFrom: readonly string[], asking: string): Promise<void> {
    const atFirst = openFiles();
    const sockets = idleFrom.map(idle);
    try {
      await setTimeout(500);
      for (let i = 0; i < 20; i += 1) assert.equal((await agent.ask(asking)).status, 200);
      assert.equal(await agent.metric('podpass_feed_connected'), 1);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
    await eventually(() =>
      assert.ok(openFiles() <= atFirst, `${openFiles()} files are open, ${atFirst} were`),
    );
    assert.equal(agent.ended, undefined);
  }

  it('serves others while one pod holds more connections than there are files', bound, () =>
    assertServesWhile(
      Array.from({ length: 4 * files }, () => greedy),
      modest,
    ),
  );

  it('serves others while many pods together do', bound, () =>
    assertServesWhile(
      many.flatMap((address) => Array.from({ length: 10 }, () => address)),
      modest,
    ),
  );

  it('serves whoever held them, once it is over', bound, () => world.untilServed(agent, [greedy, ...many]));
});
