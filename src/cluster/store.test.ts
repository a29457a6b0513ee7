import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLogger, createSilentLogger } from '../telemetry/logger.ts';
import type { ClusterObject } from './objects.ts';
import { createStore, type Store } from './store.ts';
import { createRecordedListener } from './testing/recorded-listener.ts';

function thing(name: string, uid: string, resourceVersion: string | number): ClusterObject {
  return { namespace: 'ns', name, uid, resourceVersion: String(resourceVersion) };
}

function create(): { store: Store<ClusterObject>; listener: ReturnType<typeof createRecordedListener> } {
  const store = createStore<ClusterObject>({
    logger: createSilentLogger(),
    resource: 'things',
    status: () => ({ kind: 'live' }),
  });
  const listener = createRecordedListener();
  store.subscribe(listener);
  listener.take();
  return { store, listener };
}

describe('the store', () => {
  it('finds an object by UID and by name', () => {
    const { store } = create();
    const web = thing('web', 'u1', 5);
    store.upsert(web);
    assert.equal(store.get('u1'), web);
    assert.equal(store.getByName('ns', 'web'), web);
    assert.equal(store.getByName('other', 'web'), undefined);
    assert.deepEqual([...store.values()], [web]);
    assert.equal(store.size, 1);
  });

  it('forgets the name with its object', () => {
    const { store } = create();
    store.upsert(thing('web', 'u1', 5));
    store.remove(thing('web', 'u1', 6));
    assert.equal(store.getByName('ns', 'web'), undefined);
    assert.equal(store.size, 0);
  });

  it('says which change was the last before it tells of it, of a list that lacks something the list itself', () => {
    const { store } = create();
    const told: (string | undefined)[] = [];
    const tell = () => told.push(store.changed);
    store.subscribe({ upsert: tell, remove: tell, status: () => {} });
    assert.equal(store.changed, undefined);
    store.upsert(thing('web', 'u1', 5));
    store.upsert(thing('db', 'u2', 6));
    store.remove(thing('web', 'u1', 8));
    store.upsert(thing('old', 'u3', 7));
    store.replace([thing('db', 'u2', 6), thing('old', 'u3', 7)], '20');
    assert.equal(store.changed, '7', 'a list that has all of it tells no more than its objects');
    store.replace([thing('old', 'u3', 7)], '30');
    assert.deepEqual(told, ['5', '6', '8', '8', '30']);
    // A cluster that was restored from a backup has gone back, and so has this.
    store.replace([thing('old', 'u3', 3)], '4');
    assert.equal(store.changed, '3');
  });

  it('takes a deletion that carries the last version of the object instead of its own', () => {
    const { store, listener } = create();
    store.upsert(thing('web', 'u1', 5));
    store.remove(thing('web', 'u1', 5));
    assert.deepEqual(listener.take(), ['+ns/web@u1', '-ns/web@u1']);
  });

  it('does not take an event from before a deletion, for this or an older object of the name', () => {
    const { store, listener } = create();
    store.upsert(thing('web', 'u1', 5));
    store.remove(thing('web', 'u1', 8));
    store.upsert(thing('web', 'u1', 7));
    store.upsert(thing('web', 'u0', 3));
    assert.deepEqual(listener.take(), ['+ns/web@u1', '-ns/web@u1']);
    store.upsert(thing('web', 'u2', 9));
    assert.deepEqual(listener.take(), ['+ns/web@u2']);
  });

  it('lets an object come back that a field selector had let go', () => {
    const { store, listener } = create();
    store.upsert(thing('web', 'u1', 5));
    store.remove(thing('web', 'u1', 6));
    store.upsert(thing('web', 'u1', 7));
    assert.deepEqual(listener.take(), ['+ns/web@u1', '-ns/web@u1', '+ns/web@u1']);
  });

  it('does not take the late deletion of an object whose name another has', () => {
    const { store, listener } = create();
    store.upsert(thing('web', 'u1', 5));
    store.upsert(thing('web', 'u2', 9));
    store.remove(thing('web', 'u1', 8));
    assert.deepEqual(listener.take(), ['+ns/web@u1', '-ns/web@u1', '+ns/web@u2']);
    assert.equal(store.getByName('ns', 'web')?.uid, 'u2');
  });

  it('takes the early deletion of an object as the end of the one that had its name before', () => {
    const { store, listener } = create();
    store.upsert(thing('web', 'u1', 5));
    store.remove(thing('web', 'u2', 8));
    store.remove(thing('web', 'u1', 6));
    store.upsert(thing('web', 'u2', 7));
    assert.deepEqual(listener.take(), ['+ns/web@u1', '-ns/web@u1']);
  });

  it('compares versions by length before text: 10 is newer than 9', () => {
    const { store } = create();
    store.upsert(thing('web', 'u1', 9));
    store.upsert(thing('web', 'u1', 10));
    assert.equal(store.get('u1')?.resourceVersion, '10');
  });

  it('trusts the order of arrival where versions are opaque', () => {
    const { store } = create();
    store.upsert(thing('web', 'u1', 'zz'));
    store.upsert(thing('web', 'u1', 'aa'));
    assert.equal(store.get('u1')?.resourceVersion, 'aa');
  });

  it('takes a list as the truth, even where its versions are older: a backup was restored', () => {
    const { store, listener } = create();
    store.upsert(thing('a', 'u1', 500));
    store.upsert(thing('b', 'u2', 501));
    store.upsert(thing('c', 'u3', 502));
    listener.take();
    store.replace([thing('a', 'u1', 400), thing('c', 'u3', 502)], '410');
    assert.deepEqual(listener.take(), ['-ns/b@u2', '~ns/a@u1']);
    store.upsert(thing('b', 'u2', 411));
    assert.deepEqual(listener.take(), ['+ns/b@u2']);
  });

  it('does not take an event from before the list', () => {
    const { store, listener } = create();
    store.replace([], '50');
    store.upsert(thing('a', 'u1', 50));
    store.upsert(thing('a', 'u1', 9));
    assert.deepEqual(listener.take(), []);
  });

  it('frees all names and addresses of a list before it tells of who has them now', () => {
    const { store, listener } = create();
    store.replace([thing('a', 'u1', 1), thing('b', 'u2', 2)], '5');
    listener.take();
    store.replace([thing('a', 'u3', 6), thing('b', 'u4', 7)], '8');
    assert.deepEqual(listener.take(), ['-ns/a@u1', '-ns/b@u2', '+ns/a@u3', '+ns/b@u4']);
  });

  it('remembers ten thousand deletions and no more', () => {
    const { store, listener } = create();
    for (let index = 0; index <= 10_000; index += 1)
      store.remove(thing(`t${index}`, `u${index}`, 100_000 + index));
    listener.take();
    store.upsert(thing('t1', 'u1', 100_000));
    assert.deepEqual(listener.take(), []);
    // The oldest is forgotten: better a stale object until the next list than memory without bound.
    store.upsert(thing('t0', 'u0', 99_999));
    assert.deepEqual(listener.take(), ['+ns/t0@u0']);
  });

  it('tells a listener that subscribes within a call of each object once', () => {
    const { store } = create();
    const late = createRecordedListener();
    let subscribed = false;
    store.subscribe({
      upsert: () => {
        if (subscribed) return;
        subscribed = true;
        store.subscribe(late);
      },
      remove: () => {},
      status: () => {},
    });
    store.upsert(thing('a', 'u1', 1));
    store.upsert(thing('b', 'u2', 2));
    assert.deepEqual(late.take(), ['+ns/a@u1', '=live', '+ns/b@u2']);
  });

  it('does not tell a listener that another has just unsubscribed', () => {
    const { store } = create();
    let leave = () => {};
    store.subscribe({ upsert: () => leave(), remove: () => {}, status: () => {} });
    const gone = createRecordedListener();
    leave = store.subscribe(gone);
    gone.take();
    store.upsert(thing('a', 'u1', 1));
    assert.deepEqual(gone.take(), []);
  });

  it('keeps two subscriptions of one listener apart', () => {
    const { store } = create();
    const calls: string[] = [];
    const listener = { upsert: () => calls.push('+'), remove: () => {}, status: () => {} };
    const leave = store.subscribe(listener);
    store.subscribe(listener);
    leave();
    store.upsert(thing('a', 'u1', 1));
    assert.deepEqual(calls, ['+']);
  });

  it('reports what a listener throws, when it is told and when it subscribes, and goes on', () => {
    const lines: string[] = [];
    const logger = createLogger({ level: 'info', json: true, write: (line) => lines.push(line) });
    const store = createStore<ClusterObject>({
      logger,
      resource: 'things',
      status: () => ({ kind: 'live' }),
    });
    store.upsert(thing('a', 'u1', 1));
    const broken = () => {
      throw new Error('broken');
    };
    store.subscribe({ upsert: broken, remove: broken, status: broken });
    store.upsert(thing('b', 'u2', 2));
    store.remove(thing('b', 'u2', 3));
    store.announce({ kind: 'live' });
    assert.equal(lines.length, 5);
    assert.equal(store.size, 1);
  });
});
