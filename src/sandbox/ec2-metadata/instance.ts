import type { Clock } from '../../base/clock.ts';
import type { Credentials } from '../../credentials/session.ts';
import type { MetadataNode } from './metadata-tree.ts';

/** The instance that a metadata service describes. */
export interface Instance {
  /** `i-0123456789abcdef0`. */
  readonly instanceId: string;
  /** The account that its role and it belong to. */
  readonly accountId: string;
  /** ARN of the role in its instance profile; the profile has the role's name. */
  readonly roleArn: string;
  /** `eu-west-1`; the zone is this with an `a`. */
  readonly region: string;
  /** The node's own address. */
  readonly localIpv4: string;
  /** What its user data holds. */
  readonly userData: string;
}

/**
 * Issues credentials of the instance's role.
 *
 * @throws whatever the issuer throws; the service then answers as EC2 does when it has none.
 */
export type IssueInstanceCredentials = () => Credentials;

/** Recognisable wherever it turns up: no pod may ever be shown the user data of its node. */
export const userDataMarker = 'PODPASS-SANDBOX-USER-DATA-MUST-NOT-LEAK';

/** EC2 hands out new credentials at least five minutes before the old ones end. */
const refreshBefore = 300_000;
/** EC2 rotates about every hour. */
const refreshAfter = 3_600_000;

/** The tree under `/latest/`. */
export function describeInstance(
  clock: Clock,
  instance: Instance,
  issue: IssueInstanceCredentials,
): MetadataNode {
  const { instanceId, accountId, region, localIpv4, roleArn } = instance;
  const zone = `${region}a`;
  const hostname = `ip-${localIpv4.replaceAll('.', '-')}.${region}.compute.internal`;
  const roleName = roleArn.slice(roleArn.lastIndexOf('/') + 1);
  const imageId = 'ami-0abcdef1234567890';
  const startedAt = clock.now();
  const credentials = rotate(clock, issue);
  return {
    dynamic: {
      'instance-identity': {
        document: () =>
          JSON.stringify(
            {
              accountId,
              architecture: 'x86_64',
              availabilityZone: zone,
              imageId,
              instanceId,
              instanceType: 'm5.large',
              pendingTime: formatTime(startedAt),
              privateIp: localIpv4,
              region,
              version: '2017-09-30',
            },
            null,
            2,
          ),
      },
    },
    'meta-data': {
      'ami-id': () => imageId,
      hostname: () => hostname,
      iam: {
        info: () =>
          JSON.stringify(
            {
              Code: 'Success',
              LastUpdated: formatTime(credentials().issuedAt),
              InstanceProfileArn: instanceProfileArn(roleArn),
              InstanceProfileId: 'AIPAPODPASSSANDBOX000',
            },
            null,
            2,
          ),
        'security-credentials': { [roleName]: () => renderCredentials(credentials()) },
      },
      'instance-id': () => instanceId,
      'instance-type': () => 'm5.large',
      'local-hostname': () => hostname,
      'local-ipv4': () => localIpv4,
      placement: { 'availability-zone': () => zone, region: () => region },
    },
    'user-data': () => instance.userData,
  };
}

/** The profile that stands for a role: same account, same name, and no path. */
export function instanceProfileArn(roleArn: string): string {
  const [prefix = ''] = roleArn.split(':role/', 1);
  return `${prefix}:instance-profile/${roleArn.slice(roleArn.lastIndexOf('/') + 1)}`;
}

function rotate(clock: Clock, issue: IssueInstanceCredentials): () => Credentials {
  let held: Credentials | undefined;
  return () => {
    const now = clock.now();
    if (!held || now >= held.issuedAt + refreshAfter || now >= held.expiration - refreshBefore)
      held = issue();
    return held;
  };
}

function renderCredentials({
  accessKeyId,
  secretAccessKey,
  sessionToken,
  expiration,
  issuedAt,
}: Credentials): string {
  return JSON.stringify(
    {
      Code: 'Success',
      LastUpdated: formatTime(issuedAt),
      Type: 'AWS-HMAC',
      AccessKeyId: accessKeyId,
      SecretAccessKey: secretAccessKey,
      Token: sessionToken,
      Expiration: formatTime(expiration),
    },
    null,
    2,
  );
}

/** Without fractions: botocore reads no others. */
function formatTime(millis: number): string {
  return new Date(millis).toISOString().replace(/\.\d{3}Z$/, 'Z');
}
