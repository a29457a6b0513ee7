import type { Namespace, Node, Pod } from '../objects.ts';

/** A running pod `default/NAME` on node `node-1`; what a test cares about it overrides. */
export function makePod(overrides: Partial<Pod> & { readonly name: string }): Pod {
  return {
    uid: `uid-${overrides.name}`,
    namespace: 'default',
    resourceVersion: '1',
    nodeName: 'node-1',
    serviceAccountName: 'default',
    phase: 'Running',
    hostNetwork: false,
    terminating: false,
    podIPs: ['10.0.0.1'],
    hostIPs: ['192.168.0.1'],
    annotations: {},
    ...overrides,
  };
}

/** A namespace with these annotations. */
export function makeNamespace(name: string, annotations: Record<string, string> = {}): Namespace {
  return { uid: `uid-ns-${name}`, namespace: '', name, resourceVersion: '1', annotations };
}

/** A node that has said nothing of itself yet. */
export function makeNode(name: string, overrides: Partial<Node> = {}): Node {
  return {
    uid: `uid-node-${name}`,
    namespace: '',
    name,
    resourceVersion: '1',
    addresses: [],
    podCIDRs: [],
    ...overrides,
  };
}
