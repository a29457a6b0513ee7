import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock } from '../base/fake-clock.ts';
import { createCurrencyMemory } from './currency-memory.ts';

function start() {
  const clock = createFakeClock();
  return { clock, memory: createCurrencyMemory(clock) };
}

describe('what an agent asks of the next server', () => {
  it('is the newest it was ever told of, of each kind', () => {
    const { memory } = start();
    memory.note({ pods: '100', namespaces: '' });
    memory.note({ pods: '99', namespaces: '120' });
    assert.deepEqual(memory.requirement(true), { inTouch: true, seen: { pods: '100', namespaces: '120' } });
  });

  it('is nothing before it was told of anything', () => {
    assert.deepEqual(start().memory.requirement(false), {
      inTouch: false,
      seen: { pods: '', namespaces: '' },
    });
  });

  it('is given up when every server knows less for five minutes: then it is the cluster that went back', async () => {
    const { clock, memory } = start();
    memory.note({ pods: '100', namespaces: '100' });
    memory.refused();
    await clock.advance(299_000);
    memory.refused();
    assert.equal(memory.requirement(true).seen.pods, '100');
    await clock.advance(1_000);
    assert.equal(memory.requirement(true).seen.pods, '');
  });

  it('stays when a server was gone by in between', async () => {
    const { clock, memory } = start();
    memory.note({ pods: '100', namespaces: '100' });
    memory.refused();
    await clock.advance(200_000);
    memory.accepted();
    memory.refused();
    await clock.advance(200_000);
    assert.equal(memory.requirement(true).seen.pods, '100');
  });
});
