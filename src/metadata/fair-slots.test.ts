import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createFairSlots } from './fair-slots.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Asks for a place and writes down when it was given. */
function asker(slots: ReturnType<typeof createFairSlots>) {
  const given: string[] = [];
  const ends: (() => void)[] = [];
  const held = new Set<AbortSignal>();
  return {
    given,
    ends,
    held,
    ask: (who: string, life = new AbortController()) =>
      slots.take(who, life.signal).then(() => {
        given.push(who);
        held.add(life.signal);
        life.signal.addEventListener('abort', () => held.delete(life.signal));
        ends.push(() => life.abort(new Error('over')));
      }),
  };
}

describe('places', () => {
  it('are no more than there are in all, and for each', async () => {
    const { given, ends, ask } = asker(createFairSlots({ total: 3, each: 2 }));
    for (const who of ['a', 'a', 'a', 'b', 'b']) ask(who);
    await turn();
    assert.deepEqual(given, ['a', 'a', 'b']);
    ends[0]?.();
    ends[0]?.();
    await turn();
    assert.deepEqual(given, ['a', 'a', 'b', 'a']);
    ends[1]?.();
    await turn();
    assert.deepEqual(given, ['a', 'a', 'b', 'a', 'b']);
  });

  it('are given in turn, however often one has asked', async () => {
    const { given, ends, ask } = asker(createFairSlots({ total: 1, each: 1 }));
    for (const who of ['a', 'a', 'a', 'a', 'b', 'c']) ask(who);
    for (let i = 0; i < 5; i += 1) {
      await turn();
      ends.at(-1)?.();
    }
    await turn();
    assert.deepEqual(given.slice(0, 4), ['a', 'a', 'b', 'c']);
  });

  it('are not given to who has stopped waiting', async () => {
    const { given, ends, ask } = asker(createFairSlots({ total: 1, each: 1 }));
    const gone = new AbortController();
    ask('a');
    const waits = ask('a', gone);
    ask('b');
    await turn();
    gone.abort(new Error('gone'));
    await assert.rejects(waits, /gone/);
    await assert.rejects(ask('a', gone), /gone/);
    ends[0]?.();
    await turn();
    assert.deepEqual(given, ['a', 'b']);
  });

  it('all come back, whatever happens', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('ask', 'abort', 'end'))),
        async (steps) => {
          const slots = createFairSlots({ total: 3, each: 2 });
          const { given, ends, held, ask } = asker(slots);
          const asked: AbortController[] = [];
          for (const [who, step] of steps) {
            if (step === 'abort') asked.pop()?.abort(new Error('gone'));
            else if (step === 'end') ends.shift()?.();
            else {
              const controller = new AbortController();
              asked.push(controller);
              ask(who, controller).catch(() => {});
            }
            await turn();
            assert.ok(held.size <= 3);
          }
          for (const controller of asked) controller.abort(new Error('over'));
          await turn();
          const before = given.length;
          for (const who of ['x', 'y', 'z']) ask(who);
          await turn();
          assert.equal(given.length, before + 3);
        },
      ),
      { numRuns: 200 },
    );
  });
});
