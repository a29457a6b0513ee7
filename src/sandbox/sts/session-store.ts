import type { Clock } from '../../base/clock.ts';
import type { Credentials } from '../../credentials/session.ts';
import type { RoleArn } from './arn.ts';

/** A session that the sandbox's STS has issued. */
export interface StsSession {
  readonly credentials: Credentials;
  readonly role: RoleArn;
  readonly sessionName: string;
  /**
   * `instance`: the metadata service of an instance holds it; `assumed`, `web-identity`: by that action.
   * AWS does not count the credentials of an instance as a link of a role chain, and counts all others.
   */
  readonly origin: 'instance' | 'assumed' | 'web-identity';
  /** When it stops working, in milliseconds since the epoch. A fault may set it before the stated expiration. */
  readonly endsAt: number;
}

/** Sessions by access key id. */
export interface SessionStore {
  add(session: StsSession): void;
  get(accessKeyId: string): StsSession | undefined;
  readonly size: number;
}

/** How long an ended session is kept, so that its owner is told ExpiredToken and not that the key is unknown. */
const remembered = 3_600_000;

/** Keeps at most `capacity` sessions: the long-ended go first, then the oldest. */
export function createSessionStore(clock: Clock, capacity = 65_536): SessionStore {
  const sessions = new Map<string, StsSession>();
  let sinceSweep = 0;

  function sweep(): void {
    sinceSweep = 0;
    const before = clock.now() - remembered;
    for (const [key, session] of sessions) if (session.endsAt < before) sessions.delete(key);
  }

  return {
    add(session) {
      if (++sinceSweep >= 1_024 || sessions.size >= capacity) sweep();
      for (const oldest of sessions.keys()) {
        if (sessions.size < capacity) break;
        sessions.delete(oldest);
      }
      sessions.set(session.credentials.accessKeyId, session);
    },
    get: (accessKeyId) => sessions.get(accessKeyId),
    get size() {
      return sessions.size;
    },
  };
}
