import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Namespace } from '../cluster/objects.ts';
import type { PodView } from './broker.ts';
import { describeStore } from './describe-store.ts';

const key = 'iam.amazonaws.com/allowed-roles';

function view(name: string, addresses: readonly string[], role?: string): PodView {
  const granted = {
    kind: 'granted',
    role: { name: role ?? '', arn: `arn:aws:iam::1:role/${role}` },
    session: { sessionName: 'kiam-kiam', externalId: 'secret-of-two' },
    findings: [],
  } as const;
  return {
    uid: name,
    namespace: 'team',
    name,
    nodeName: 'node-1',
    addresses,
    decision: role === undefined ? { kind: 'no-role', findings: [] } : granted,
    session: { kind: 'pending' },
  };
}

function namespace(name: string, annotations: Readonly<Record<string, string>>): Namespace {
  return { uid: name, name, namespace: '', resourceVersion: '1', annotations };
}

describe('describeStore', () => {
  const views = [
    view('reader', ['10.0.0.1', 'fd00::1'], 'reader'),
    view('plain', ['10.0.0.2']),
    view('one', ['10.0.0.3'], 'reader'),
    view('other', ['10.0.0.3'], 'writer'),
    view('third', ['10.0.0.3'], 'writer'),
  ];
  const store = describeStore(
    views,
    [
      namespace('team', { [key]: '["reader", "team-*"]', other: 'kept' }),
      namespace('open', {}),
      namespace('mistyped', { [key]: '[reader]' }),
      namespace('mixed', { [key]: '["reader", null]' }),
    ],
    key,
  );

  it('has what kube2iam shows, under its names', () => {
    assert.deepEqual(store, {
      namespaceByIP: { '10.0.0.1': 'team', 'fd00::1': 'team', '10.0.0.2': 'team' },
      rolesByIP: { '10.0.0.1': 'reader', 'fd00::1': 'reader', '10.0.0.2': '' },
      rolesByNamespace: {
        team: ['reader', 'team-*'],
        open: null,
        mistyped: '[reader]',
        mixed: '["reader", null]',
      },
    });
  });

  it('holds no secret', () => assert.ok(!JSON.stringify(store).includes('secret-of-two')));
});
