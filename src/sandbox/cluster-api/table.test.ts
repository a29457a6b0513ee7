import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Json, listAt, textAt } from './json.ts';
import type { KubeObject } from './objects.ts';
import { type Resource, resourceNamed } from './resources.ts';
import { tableOf } from './table.ts';
import { accepted } from './testing/outcomes.ts';
import {
  createPod,
  deployments,
  namespaces,
  nodes,
  pods,
  serviceAccounts,
  testStore,
} from './testing/test-store.ts';

const { store, clock } = testStore();

function cells(resource: Resource, object: KubeObject, later = 0): Json[] {
  const options = { resource, includeObject: 'None', now: clock.now() + later } as const;
  const [row] = listAt(tableOf([object], {}, options), 'rows');
  return [...listAt(row, 'cells')];
}

function headers(resource: Resource): string[] {
  const table = tableOf([], {}, { resource, includeObject: 'None', now: 0 });
  return listAt(table, 'columnDefinitions').map((column) => textAt(column, 'name'));
}

describe('the table of pods', () => {
  it('has kubectl’s columns, address and node in the wide part', () => {
    assert.deepEqual(headers(pods), ['Name', 'Ready', 'Status', 'Restarts', 'Age', 'IP', 'Node']);
    const table = tableOf([], {}, { resource: pods, includeObject: 'None', now: 0 });
    assert.deepEqual(
      listAt(table, 'columnDefinitions').map((column) => textAt(column, 'priority')),
      ['0', '0', '0', '0', '0', '1', '1'],
    );
  });

  const containers = [{ name: 'a' }, { name: 'b' }];
  const cases: [string, Parameters<typeof createPod>[2], Json[]][] = [
    ['one that waits for a node', {}, ['0/1', 'Pending', '0', '<none>', '<none>']],
    [
      'one that runs',
      {
        spec: { containers, nodeName: 'n' },
        status: {
          phase: 'Running',
          podIP: '10.0.0.1',
          containerStatuses: [
            { ready: true, restartCount: 2 },
            { ready: false, restartCount: 1, state: { running: {} } },
          ],
        },
      },
      ['1/2', 'Running', '3', '10.0.0.1', 'n'],
    ],
    [
      'one of which only conditions are known',
      { spec: { containers }, status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } },
      ['2/2', 'Running', '0', '<none>', '<none>'],
    ],
    [
      'one that crashes',
      {
        status: {
          phase: 'Running',
          containerStatuses: [{ state: { waiting: { reason: 'CrashLoopBackOff' } } }],
        },
      },
      ['0/1', 'CrashLoopBackOff', '0', '<none>', '<none>'],
    ],
    [
      'one that is done',
      {
        status: {
          phase: 'Succeeded',
          containerStatuses: [{ state: { terminated: { reason: 'Completed' } } }],
        },
      },
      ['0/1', 'Completed', '0', '<none>', '<none>'],
    ],
    [
      'one that was evicted',
      { status: { phase: 'Failed', reason: 'Evicted' } },
      ['0/1', 'Evicted', '0', '<none>', '<none>'],
    ],
  ];
  for (const [index, [what, more, expected]] of cases.entries()) {
    it(`describes ${what}`, () => {
      const pod = createPod(store, `pod-${index}`, more);
      const [name, ready, status, restarts, age, ip, node] = cells(pods, pod, 125_000);
      assert.equal(name, `pod-${index}`);
      assert.deepEqual([ready, status, restarts, ip, node], expected);
      assert.equal(age, '2m5s');
    });
  }

  it('says that a deleted one is terminating', () => {
    createPod(store, 'held', { metadata: { finalizers: ['a/hold'] }, status: { phase: 'Running' } });
    const { object } = accepted(store.delete(pods, 'default', 'held'));
    assert.equal(cells(pods, object)[2], 'Terminating');
  });
});

describe('other tables', () => {
  it('show a namespace’s phase', () => {
    const namespace = store.get(namespaces, '', 'default');
    assert.ok(namespace);
    assert.deepEqual(cells(namespaces, namespace), ['default', 'Active', '0s']);
  });

  it('show whether a node is ready', () => {
    const make = (name: string, status?: { conditions: { type: string; status: string }[] }) =>
      cells(nodes, accepted(store.create(nodes, { metadata: { name }, ...(status && { status }) })))[1];
    assert.equal(make('n1', { conditions: [{ type: 'Ready', status: 'True' }] }), 'Ready');
    assert.equal(make('n2', { conditions: [{ type: 'Ready', status: 'False' }] }), 'NotReady');
    assert.equal(make('n3'), 'Unknown');
  });

  it('show what an event says of what, and when it was last seen', () => {
    const events = resourceNamed('events');
    const event = accepted(
      store.create(events, {
        metadata: { name: 'web.1', namespace: 'default' },
        involvedObject: { kind: 'Pod', name: 'web' },
        type: 'Warning',
        reason: 'RoleForbidden',
        message: 'no',
        lastTimestamp: new Date(clock.now() - 30_000).toISOString(),
      }),
    );
    assert.deepEqual(cells(events, event), ['30s', 'Warning', 'RoleForbidden', 'pod/web', 'no']);
  });

  it('count the replicas of a deployment', () => {
    const metadata = { name: 'api', namespace: 'default' };
    const draft = { metadata, spec: { replicas: 3 }, status: { readyReplicas: 2 } };
    assert.deepEqual(cells(deployments, accepted(store.create(deployments, draft))), ['api', '2/3', '0s']);
  });

  it('show name and age of anything else', () => {
    const account = store.get(serviceAccounts, 'default', 'default');
    assert.ok(account);
    assert.deepEqual(headers(serviceAccounts), ['Name', 'Age']);
    assert.deepEqual(cells(serviceAccounts, account, 600_000), ['default', '10m']);
  });
});

describe('the rows of a table', () => {
  const pod = createPod(store, 'row');
  const row = (includeObject: 'None' | 'Metadata' | 'Object') =>
    listAt(tableOf([pod], {}, { resource: pods, includeObject, now: 0 }), 'rows')[0];

  it('carry nothing, the metadata or the object, as asked', () => {
    assert.deepEqual((row('None') as { object: Json }).object, null);
    assert.deepEqual((row('Metadata') as { object: Json }).object, {
      kind: 'PartialObjectMetadata',
      apiVersion: 'meta.k8s.io/v1',
      metadata: pod.metadata,
    });
    assert.equal((row('Object') as { object: Json }).object, pod);
  });

  it('come without definitions of the columns when those were sent before', () => {
    const table = tableOf([pod], {}, { resource: pods, includeObject: 'None', now: 0, withoutHeaders: true });
    assert.deepEqual(table.columnDefinitions, []);
    assert.equal(listAt(table, 'rows').length, 1);
  });
});
