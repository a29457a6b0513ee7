// EC2 as a node has it behind its interface: what no pod may ever reach. It serves a role that can be recognised, and
// remembers every connection.
import { systemClock } from '../../src/base/clock.ts';
import { systemRandom } from '../../src/base/random.ts';
import { createEc2Metadata } from '../../src/sandbox/ec2-metadata/create-ec2-metadata.ts';
import { userDataMarker } from '../../src/sandbox/ec2-metadata/instance.ts';
import { mintCredentials } from '../../src/sandbox/sts/mint.ts';
import { metadataIpv4, metadataIpv6, nodeIpv4 } from './topology.ts';
import { serveCommands } from './worker.ts';

export const nodeRole = 'NODE-ROLE-MUST-NOT-LEAK';

const metadata = createEc2Metadata({
  clock: systemClock,
  random: systemRandom,
  instance: {
    instanceId: 'i-0fedcba9876543210',
    accountId: '123456789012',
    roleArn: `arn:aws:iam::123456789012:role/${nodeRole}`,
    region: 'eu-west-1',
    localIpv4: nodeIpv4,
    userData: userDataMarker,
  },
  issueCredentials: () => mintCredentials(systemClock, systemRandom, 21_600),
  httpTokens: 'optional',
});

const commands = {
  async listen() {
    await metadata.listen(metadataIpv4, 80);
    await metadata.listen(metadataIpv6, 80);
  },
  /** What was asked, and by whom. */
  requests: () => metadata.requests.map(({ method, path, from }) => ({ method, path, from })),
};

export type MetadataCommands = typeof commands;

if (process.send) serveCommands(commands);
