import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import { systemRandom } from '../../src/base/random.ts';
import { createEc2Metadata } from '../../src/sandbox/ec2-metadata/create-ec2-metadata.ts';
import { account, serverArn } from '../../src/sandbox/sts/sts.fixture.ts';
import { projectRoot } from '../parts/locations.ts';
import { type Scope, stopWith } from '../parts/scope.ts';
import { region, type SmallAws } from './small-aws.ts';

/** The parts of a pod template that say what runs. */
export interface KiamContainer {
  readonly name: string;
  readonly image: string;
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly livenessProbe?: KiamProbe;
  readonly readinessProbe?: KiamProbe;
}

interface KiamProbe {
  readonly exec?: { readonly command: readonly string[] };
  readonly httpGet?: { readonly path: string; readonly port: number };
}

export function readKiamManifest(name: string): string {
  return readFileSync(join(projectRoot, 'deploy', 'manifests', 'kiam', name), 'utf8');
}

/** What a manifest's addresses and paths are on this machine. */
export interface Loopback {
  /** Where `server.pem`, `agent.pem`, their keys and `ca.pem` are. */
  readonly tlsFolder: string;
  readonly serverPorts: readonly number[];
  readonly agentPort?: number;
}

/** The harness reads the log as JSON at level debug, and needs a telemetry port that is free. */
const ownFlags = ['--json-log', '--level', '--prometheus-listen-addr'];

/**
 * Arguments of a kiam manifest for a process on loopback: every flag as it is, but for addresses, paths, and what the
 * harness sets. There is no network namespace here, so no rule is installed; test/network has those tests.
 */
export function onLoopback(args: readonly string[], at: Loopback): string[] {
  const servers = at.serverPorts.map((port) => `localhost:${port}`).join(',');
  return args
    .filter((arg) => !ownFlags.includes(arg.split('=')[0] ?? '') && !arg.startsWith('--iptables'))
    .map((arg) =>
      arg
        .replace('/etc/kiam/tls', at.tlsFolder)
        .replace(/^--bind=.*/, `--bind=127.0.0.1:${at.serverPorts[0]}`)
        .replace(/^--server-address=.*/, `--server-address=${servers}`)
        .replace(/^--port=.*/, `--port=${at.agentPort}`),
    );
}

/** A stand-in for the metadata service of the server's node, for --role-base-arn-autodetect. Resolves with its URL. */
export async function startNodeMetadata(scope: Scope, aws: SmallAws): Promise<string> {
  const imds = createEc2Metadata({
    clock: systemClock,
    random: systemRandom,
    instance: {
      instanceId: 'i-0123456789abcdef0',
      accountId: account,
      roleArn: serverArn,
      region,
      localIpv4: '127.0.0.1',
      userData: '',
    },
    issueCredentials: () => aws.sts.issueFor(serverArn, { sessionName: 'i-0123456789abcdef0' }),
    httpTokens: 'required',
  });
  const { url, close } = await imds.listen('127.0.0.1', 0);
  stopWith(scope, close);
  return url;
}
