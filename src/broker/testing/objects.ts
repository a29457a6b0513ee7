import type { SessionState } from '../../credentials/session.ts';
import type { Decision } from '../../roles/decision.ts';
import type { PodView } from '../broker.ts';

export function grantedTo(roleName: string): Decision {
  return {
    kind: 'granted',
    role: { name: roleName, arn: `arn:aws:iam::123456789012:role/${roleName}` },
    session: { sessionName: 'kiam-kiam' },
    findings: [],
  };
}

const pending: SessionState = { kind: 'pending' };

export function makeView(overrides: Partial<PodView> & { readonly name: string }): PodView {
  return {
    uid: `uid-${overrides.name}`,
    namespace: 'default',
    nodeName: 'node-1',
    addresses: ['10.0.0.1'],
    decision: grantedTo('reader'),
    session: pending,
    ...overrides,
  };
}
