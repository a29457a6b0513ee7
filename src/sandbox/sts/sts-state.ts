import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import { assumedRoleArn } from './arn.ts';
import { mintCredentials, roleId } from './mint.ts';
import type { SandboxRole } from './sandbox-role.ts';
import type { SessionStore, StsSession } from './session-store.ts';
import type { TrustCaller } from './trust-policy.ts';
import type { OidcProvider } from './web-identity-token.ts';
import type { XmlContent } from './xml.ts';

/** What the actions of one STS share. */
export interface StsState {
  readonly clock: Clock;
  readonly random: Random;
  /** By ARN. Read at each call, so that a role may be changed while it runs. */
  readonly roles: ReadonlyMap<string, SandboxRole>;
  readonly sessions: SessionStore;
  /** By issuer URL. */
  readonly oidcProviders: ReadonlyMap<string, OidcProvider>;
}

/** How long a session lasts. `endsAfter` differs from what is stated only under a fault. */
export interface SessionLength {
  readonly statedSeconds: number;
  readonly endsAfterSeconds: number;
}

/** Issues a session and keeps it. */
export function openSession(
  { clock, random, sessions }: StsState,
  role: SandboxRole,
  { sessionName, origin }: Pick<StsSession, 'sessionName' | 'origin'>,
  length: SessionLength,
): StsSession {
  const credentials = mintCredentials(clock, random, length.statedSeconds);
  const endsAt = Math.min(credentials.expiration, credentials.issuedAt + length.endsAfterSeconds * 1_000);
  const session: StsSession = { credentials, role: role.arn, sessionName, origin, endsAt };
  sessions.add(session);
  return session;
}

/** The session as a caller of the next role. */
export function trustCallerOf(session: StsSession): TrustCaller & { kind: 'session' } {
  return {
    kind: 'session',
    roleArn: session.role.arn,
    sessionArn: assumedRoleArn(session.role, session.sessionName),
    account: session.role.account,
  };
}

/** The elements that both AssumeRole actions answer. */
export function describeSession(session: StsSession): Readonly<Record<string, XmlContent>> {
  const { credentials, role, sessionName } = session;
  return {
    AssumedRoleUser: {
      AssumedRoleId: `${roleId(role)}:${sessionName}`,
      Arn: assumedRoleArn(role, sessionName),
    },
    Credentials: {
      AccessKeyId: credentials.accessKeyId,
      SecretAccessKey: credentials.secretAccessKey,
      SessionToken: credentials.sessionToken,
      Expiration: new Date(credentials.expiration).toISOString().replace('.000Z', 'Z'),
    },
  };
}
