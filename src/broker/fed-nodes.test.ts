import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { createFakeClock, type FakeClock } from '../base/fake-clock.ts';
import { createFedNodes, type FedNodes } from './fed-nodes.ts';

describe('fed nodes', () => {
  let clock: FakeClock;
  let nodes: FedNodes;
  let changes: string[];

  beforeEach(() => {
    clock = createFakeClock();
    changes = [];
    nodes = createFedNodes({
      clock,
      lingerMillis: 1_000,
      onChange: (name) => changes.push(`${name} ${nodes.isFed(name) ? 'on' : 'off'}`),
    });
  });

  it('feeds a node from its first stream until a while after its last', async () => {
    const first = nodes.hold('node-1');
    const second = nodes.hold('node-1');
    first();
    await clock.advance(5_000);
    assert.ok(nodes.isFed('node-1'));
    second();
    await clock.advance(999);
    assert.ok(nodes.isFed('node-1'));
    await clock.advance(1);
    assert.deepEqual(changes, ['node-1 on', 'node-1 off']);
    assert.equal(clock.pending, 0);
  });

  it('says nothing when an agent comes back before its node is given up', async () => {
    nodes.hold('node-1')();
    await clock.advance(500);
    const again = nodes.hold('node-1');
    await clock.advance(5_000);
    assert.deepEqual(changes, ['node-1 on']);
    assert.equal(nodes.held, 1);
    again();
  });

  it('feeds a node that was asked about, for as long as it is asked about', async () => {
    nodes.touch('node-1');
    await clock.advance(900);
    nodes.touch('node-1');
    await clock.advance(900);
    assert.ok(nodes.isFed('node-1'));
    await clock.advance(100);
    assert.deepEqual(changes, ['node-1 on', 'node-1 off']);
  });

  it('does not count one release twice', () => {
    const release = nodes.hold('node-1');
    nodes.hold('node-1');
    release();
    release();
    assert.equal(nodes.held, 1);
  });

  it('knows nodes apart', () => {
    nodes.touch('node-1');
    assert.equal(nodes.isFed('node-2'), false);
  });
});
