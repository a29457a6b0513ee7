import type { Credentials, SessionCache, SessionIdentity, SessionState } from '../../credentials/session.ts';

/** A session cache without STS: a test sets the states and looks at who holds what. */
export interface FakeSessions extends SessionCache {
  /** Sets what is known of a role's sessions and tells whoever holds them. */
  set(roleArn: string, state: SessionState): void;
  /** The identities that are held now, in the order they were claimed. */
  readonly held: readonly SessionIdentity[];
}

export function createFakeSessions(): FakeSessions {
  const states = new Map<string, SessionState>();
  const leases = new Set<{ identity: SessionIdentity; onChange: (state: SessionState) => void }>();
  const pending: SessionState = { kind: 'pending' };
  return {
    acquire(identity, onChange) {
      const lease = { identity, onChange };
      leases.add(lease);
      return {
        get state() {
          return states.get(identity.roleArn) ?? pending;
        },
        release: () => leases.delete(lease),
      };
    },
    set(roleArn, state) {
      states.set(roleArn, state);
      for (const lease of leases) if (lease.identity.roleArn === roleArn) lease.onChange(state);
    },
    get held() {
      return [...leases].map((lease) => lease.identity);
    },
    close: () => leases.clear(),
  };
}

/** Credentials that can be told apart by their key id. */
export function fakeCredentials(
  accessKeyId: string,
  issuedAt: number,
  lifetimeMillis = 3_600_000,
  goodUntil = lifetimeMillis,
): Credentials {
  return {
    accessKeyId,
    secretAccessKey: `secret-of-${accessKeyId}`,
    sessionToken: `token-of-${accessKeyId}`,
    issuedAt,
    goodUntil,
    expiration: issuedAt + lifetimeMillis,
  };
}
