import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock } from '../base/fake-clock.ts';
import { createLogger } from '../telemetry/logger.ts';
import { createPortHandover } from './port-handover.ts';

/** An agent on a port where so many others listen, and what it did, in order. */
function newAgent({ others = 0 } = {}) {
  const clock = createFakeClock();
  const controller = new AbortController();
  const did: string[] = [];
  const state = { others, isListening: false, isReady: false };
  const handover = createPortHandover({
    door: {
      async listen({ port, reusePort }) {
        assert.equal(reusePort, true);
        state.isListening = true;
        did.push('listen');
        return { address: '::', family: 'IPv6', port };
      },
      async close(graceMillis, lingerMillis) {
        did.push(`close within ${graceMillis}, idle ${lingerMillis}`);
      },
    },
    port: 8181,
    host: undefined,
    isReady: () => state.isReady,
    countListeners: async () => state.others + (state.isListening ? 1 : 0),
    firewall: {
      async holdNewcomers() {
        did.push('hold');
        return async () => void did.push('release');
      },
    },
    clock,
    logger: createLogger({
      level: 'warn',
      json: true,
      clock,
      write: (line) => did.push(JSON.parse(line).msg.slice(0, 29)),
    }),
    signal: controller.signal,
  });
  return { clock, did, handover, state, end: () => controller.abort(new Error('asked to end')) };
}

describe('an agent that is alone', () => {
  it('listens at once, knowing nothing yet: its callers are held', async () => {
    const { did, handover } = newAgent();
    assert.equal(await handover.listen(), 8181);
    assert.deepEqual(did, ['listen']);
  });

  it('makes newcomers wait while it closes', async () => {
    const { did, handover } = newAgent();
    await handover.listen();
    await handover.close();
    assert.deepEqual(did, ['listen', 'hold', 'close within 5000, idle 500', 'release']);
  });
});

describe('an agent beside another', () => {
  it('listens when it can answer for the pods', async () => {
    const { clock, did, handover, state } = newAgent({ others: 1 });
    const listening = handover.listen();
    await clock.advance(5_000);
    assert.deepEqual(did, []);
    state.isReady = true;
    await clock.advance(100);
    await listening;
    assert.deepEqual(did, ['listen']);
  });

  it('listens in the end, even if it never can', async () => {
    const { clock, did, handover } = newAgent({ others: 1 });
    const listening = handover.listen();
    await clock.advance(30_000);
    await listening;
    assert.deepEqual(did, ['listen']);
  });

  it('ends while it waits, when it is asked to', async () => {
    const { clock, handover, end } = newAgent({ others: 1 });
    const listening = assert.rejects(handover.listen(), /asked to end/);
    await clock.advance(1_000);
    end();
    await listening;
    assert.equal(clock.pending, 0);
  });

  it('leaves the port to it without making anybody wait', async () => {
    const { clock, did, handover, state, end } = newAgent({ others: 1 });
    state.isReady = true;
    await handover.listen();
    end();
    await handover.close();
    assert.deepEqual(did, ['listen', 'close within 20000, idle 2000']);
    await clock.advance(200_000);
    assert.deepEqual(did, ['listen', 'close within 20000, idle 2000']);
  });

  it('warns when they are still two after any upgrade is over', async () => {
    for (const isStillThere of [true, false]) {
      const { clock, did, handover, state } = newAgent({ others: 1 });
      state.isReady = true;
      await handover.listen();
      if (!isStillThere) state.others = 0;
      await clock.advance(120_000);
      assert.deepEqual(did, isStillThere ? ['listen', 'another process still listens'] : ['listen']);
    }
  });
});
