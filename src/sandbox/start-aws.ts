import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import { createEc2Metadata, type Ec2Metadata } from './ec2-metadata/create-ec2-metadata.ts';
import { userDataMarker } from './ec2-metadata/instance.ts';
import { createSts, type Sts } from './sts/create-sts.ts';
import type { StsFault } from './sts/faults.ts';
import type { RolesFile } from './sts/roles-file.ts';
import type { Teardown } from './teardown.ts';

/** The AWS of a sandbox: one STS, and the metadata services of two instances. */
export interface SandboxAws {
  readonly sts: Sts;
  readonly stsUrl: string;
  readonly region: string;
  /** Of the instance that podpass's server runs on: where it gets its own credentials. */
  readonly serverMetadataUrl: string;
  /** Of the instance that pods run on: what they must never reach. */
  readonly node: Pick<Ec2Metadata, 'requests'>;
  readonly nodeMetadataUrl: string;
}

export interface StartAwsOptions {
  readonly roles: RolesFile;
  readonly host: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly teardown: Teardown;
  /** What the STS does wrong from the start. */
  readonly stsFaults: readonly StsFault[];
}

const region = 'eu-west-1';

export async function startAws({
  roles,
  host,
  clock,
  random,
  teardown,
  stsFaults,
}: StartAwsOptions): Promise<SandboxAws> {
  const sts = createSts({ clock, random, roles: roles.roles.values() });
  for (const fault of stsFaults) sts.faults.add(fault);
  const listening = await sts.listen(host, 0);
  teardown.add(() => listening.close());

  async function startInstance(roleArn: string, instanceId: string) {
    const metadata = createEc2Metadata({
      clock,
      random,
      instance: {
        instanceId,
        accountId: roleArn.split(':')[4] ?? '',
        roleArn,
        region,
        localIpv4: host,
        userData: userDataMarker,
      },
      issueCredentials: () => sts.issueFor(roleArn, { sessionName: instanceId }),
      httpTokens: 'optional',
    });
    const { url, close } = await metadata.listen(host, 0);
    teardown.add(close);
    return { metadata, url };
  }

  const server = await startInstance(roles.serverRoleArn, 'i-0123456789abcdef0');
  const node = await startInstance(roles.nodeRoleArn, 'i-0fedcba9876543210');
  return {
    sts,
    stsUrl: listening.url,
    region,
    serverMetadataUrl: server.url,
    node: node.metadata,
    nodeMetadataUrl: node.url,
  };
}
