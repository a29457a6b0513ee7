import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createFakeClock } from '../base/fake-clock.ts';
import type { PodView } from '../broker/broker.ts';
import { makeView } from '../broker/testing/objects.ts';
import type { NodeEvent } from './gen/podpass.ts';
import { createNodeStream, type MessageWriter } from './node-stream.ts';

const clock = createFakeClock();

/** A consumer that takes as many messages as a test lets it. */
function createSlowWriter(takes = Number.POSITIVE_INFINITY) {
  let room = takes;
  let drained = () => {};
  const sent: NodeEvent[] = [];
  const writer: MessageWriter = {
    write(event) {
      assert.ok(room > 0, 'nothing is written to who takes nothing');
      sent.push(event);
      room -= 1;
      return room > 0;
    },
    onDrain(fn) {
      drained = fn;
    },
  };
  return {
    writer,
    sent,
    lines: () => sent.map(lineOf),
    take(count: number) {
      room = count;
      drained();
    },
  };
}

function lineOf({ event }: NodeEvent): string {
  if (event?.$case === 'pod') return `+${event.value.name}@${event.value.addresses.join()}`;
  return event?.$case === 'removedUid' ? `-${event.value}` : 'synced';
}

const fail = () => assert.fail('it overflows');
const view = (name: string, ...addresses: string[]) => makeView({ name, addresses });

describe("the stream of a node's pods", () => {
  it('says how far the news go, once for each time that they went further', () => {
    const { writer, sent } = createSlowWriter();
    let seen = { pods: '7', namespaces: '5' };
    const stream = createNodeStream(clock, writer, 10, fail, () => seen);
    stream.pod(view('a', '10.0.0.1'));
    stream.pod(view('b', '10.0.0.2'));
    seen = { pods: '8', namespaces: '5' };
    stream.removed('uid-a');
    assert.deepEqual(
      sent.map((event) => event.seen?.pods),
      ['7', undefined, '8'],
    );
  });

  it('sends what it is told to who takes it', () => {
    const { writer, lines } = createSlowWriter();
    const stream = createNodeStream(clock, writer, 10, fail);
    stream.pod(view('web', '1'));
    stream.synced();
    stream.removed('uid-web');
    assert.deepEqual(lines(), ['+web@1', 'synced', '-uid-web']);
  });

  it('keeps the latest state alone for who takes nothing', () => {
    const slow = createSlowWriter(1);
    const stream = createNodeStream(clock, slow.writer, 10, fail);
    stream.pod(view('first', '9'));
    for (let i = 0; i < 1_000; i += 1) stream.pod(view('web', String(i)));
    stream.synced();
    assert.deepEqual(slow.lines(), ['+first@9']);
    slow.take(5);
    assert.deepEqual(slow.lines(), ['+first@9', '+web@999', 'synced']);
  });

  it('says that all was sent only after all was sent', () => {
    const slow = createSlowWriter(1);
    const stream = createNodeStream(clock, slow.writer, 10, fail);
    for (const name of ['a', 'b', 'c']) stream.pod(view(name, name));
    stream.synced();
    slow.take(1);
    assert.deepEqual(slow.lines(), ['+a@a', '+b@b']);
    slow.take(1);
    assert.deepEqual(slow.lines(), ['+a@a', '+b@b', '+c@c']);
    slow.take(1);
    assert.deepEqual(slow.lines().at(-1), 'synced');
  });

  it('takes an address from its old owner before it gives it to the new one', () => {
    const slow = createSlowWriter(1);
    const stream = createNodeStream(clock, slow.writer, 10, fail);
    stream.pod(view('first', '9'));
    stream.pod(view('new'));
    stream.removed('uid-old');
    stream.pod(view('new', '1'));
    slow.take(9);
    assert.deepEqual(slow.lines(), ['+first@9', '-uid-old', '+new@1']);
  });

  it('gives up on who lets more pods wait than the limit', () => {
    const slow = createSlowWriter(1);
    let overflows = 0;
    const stream = createNodeStream(clock, slow.writer, 3, () => {
      overflows += 1;
    });
    for (const name of ['sent', 'a', 'b', 'c', 'a']) stream.pod(view(name));
    assert.equal(overflows, 0);
    stream.removed('uid-d');
    assert.equal(overflows, 1);
  });

  it('leaves who reads it with the state that it was told, however slowly they read', () => {
    const names = ['a', 'b', 'c', 'd'];
    const step = fc.oneof(
      fc.record({ do: fc.constant('set' as const), name: fc.constantFrom(...names), address: fc.nat(99) }),
      fc.record({ do: fc.constant('remove' as const), name: fc.constantFrom(...names) }),
      fc.record({ do: fc.constant('take' as const), count: fc.integer({ min: 1, max: 4 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const slow = createSlowWriter(2);
        const stream = createNodeStream(clock, slow.writer, 100, fail);
        const truth = new Map<string, PodView>();
        for (const action of steps) {
          if (action.do === 'set') {
            const set = view(action.name, String(action.address));
            truth.set(set.uid, set);
            stream.pod(set);
          } else if (action.do === 'remove') {
            truth.delete(`uid-${action.name}`);
            stream.removed(`uid-${action.name}`);
          } else slow.take(action.count);
        }
        slow.take(1_000);
        const read = new Map<string, string>();
        for (const { event } of slow.sent) {
          if (event?.$case === 'pod') read.set(event.value.uid, event.value.addresses.join());
          if (event?.$case === 'removedUid') read.delete(event.value);
        }
        const expected = [...truth.values()].map(({ uid, addresses }) => [uid, addresses.join()]);
        assert.deepEqual([...read].sort(), expected.sort());
      }),
    );
  });
});
