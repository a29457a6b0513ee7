import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock } from '../base/fake-clock.ts';
import { createLogWriter } from './log-writer.ts';

/** A reader that takes what it has room for. */
function harness(longestQueue = 1_000) {
  const clock = createFakeClock();
  const state = {
    text: '',
    room: Number.POSITIVE_INFINITY,
    endsAfter: Number.POSITIVE_INFINITY,
    failure: '',
    lost: 0,
  };
  const writer = createLogWriter({
    put(bytes) {
      if (state.failure !== '') throw Object.assign(new Error(state.failure), { code: state.failure });
      if (state.text.length >= state.endsAfter) throw Object.assign(new Error('no room'), { code: 'ENOSPC' });
      if (state.room === 0) throw Object.assign(new Error('full'), { code: 'EAGAIN' });
      const taken = Math.min(bytes.length, state.room);
      state.text += Buffer.from(bytes.subarray(0, taken)).toString();
      state.room -= taken;
      return taken;
    },
    clock,
    onLost() {
      state.lost += 1;
    },
    onRecovered: (lost) => writer.write(`lost ${lost}\n`),
    longestQueue,
  });
  return { clock, state, writer };
}

describe('the writer of the log', () => {
  it('writes each line at once', () => {
    const { state, writer, clock } = harness();
    writer.write('one\n');
    writer.write('two\n');
    assert.equal(state.text, 'one\ntwo\n');
    assert.equal(clock.pending, 0);
  });

  it('goes on with the next part when only a part is taken', () => {
    const { state, writer } = harness();
    state.room = 3;
    writer.write('twelve\n');
    assert.equal(state.text, 'twe');
    state.room = 100;
    writer.flush();
    assert.equal(state.text, 'twelve\n');
  });

  it('keeps lines in order while nobody reads, and writes them when somebody does', async () => {
    const { clock, state, writer } = harness();
    state.room = 0;
    for (const line of ['one\n', 'two\n', 'three\n']) writer.write(line);
    await clock.advance(1_000);
    assert.equal(state.text, '');
    state.room = 5;
    await clock.advance(50);
    assert.equal(state.text, 'one\nt');
    state.room = 100;
    writer.write('four\n');
    await clock.advance(50);
    assert.equal(state.text, 'one\ntwo\nthree\nfour\n');
    assert.equal(state.lost, 0);
    assert.equal(clock.pending, 0);
  });

  it('loses what is above its bound, and says how much once somebody reads', async () => {
    const { clock, state, writer } = harness(20);
    state.room = 0;
    for (let i = 0; i < 100; i += 1) writer.write(`line ${i}\n`);
    assert.equal(state.lost, 98);
    state.room = Number.POSITIVE_INFINITY;
    await clock.advance(50);
    assert.equal(state.text, 'line 0\nline 1\nlost 98\n');
    writer.write('next\n');
    assert.equal(state.text, 'line 0\nline 1\nlost 98\nnext\n');
  });

  for (const code of ['ENOSPC', 'EPIPE', 'EIO']) {
    it(`throws nothing for ${code}, and says afterwards what is missing`, () => {
      const { clock, state, writer } = harness();
      state.failure = code;
      writer.write('one\n');
      writer.write('two\n');
      assert.equal(state.lost, 2);
      assert.equal(clock.pending, 0);
      state.failure = '';
      writer.write('three\n');
      assert.equal(state.text, 'three\nlost 2\n');
    });
  }

  it('begins a new line after one whose end was lost', async () => {
    const { clock, state, writer } = harness();
    state.room = 3;
    writer.write('torn line\n');
    state.failure = 'ENOSPC';
    await clock.advance(50);
    assert.equal(state.lost, 1);
    state.failure = '';
    state.room = 100;
    writer.write('whole\n');
    assert.equal(state.text, 'tor\nwhole\nlost 1\n');
  });

  it('says later what it could not say because that line was lost, too', () => {
    const { state, writer } = harness();
    state.failure = 'ENOSPC';
    writer.write('one\n');
    state.failure = '';
    state.endsAfter = 'room for one\n'.length;
    writer.write('room for one\n');
    assert.equal(state.lost, 2);
    state.endsAfter = Number.POSITIVE_INFINITY;
    writer.write('two\n');
    assert.equal(state.text, 'room for one\ntwo\nlost 2\n');
  });
});
