import { formatDuration } from '../base/duration.ts';
import { PodpassError } from '../base/errors.ts';
import type { LogLevel } from '../telemetry/logger.ts';
import type { FlagValues } from './flags.ts';
import type { ProcessFlags } from './process-context.ts';
import type { standaloneFlags } from './standalone-flags.ts';

export type StandaloneFlags = FlagValues<typeof standaloneFlags>;

/** What kube2iam's flags come to. */
export interface StandaloneSettings {
  readonly process: ProcessFlags;
  readonly metadataEndpoint: string;
  /** How long sessions are asked for. */
  readonly sessionMillis: number;
  /** Lines for the log about what was not taken as it was given. */
  readonly notes: readonly string[];
}

/** Where metrics go that kube2iam served where pods reach them: kiam's port for them. */
const otherMetricsPort = 9620;
const shortestSession = 900_000;
const longestSession = 43_200_000;

/**
 * Reads what is between kube2iam's flags. Pure.
 *
 * @throws PodpassError ERR_USAGE for those that contradict each other, in kube2iam's words
 */
export function readStandaloneSettings(flags: StandaloneFlags): StandaloneSettings {
  if (flags.baseRoleArn !== undefined && flags.autoDiscoverBaseArn)
    throw usage(
      '--auto-discover-base-arn cannot be used if --base-role-arn is specified. Leave out one of them.',
    );
  if (flags.defaultRole !== undefined && flags.autoDiscoverDefaultRole)
    throw usage(
      'You cannot use --default-role and --auto-discover-default-role at the same time. Leave out one of them.',
    );
  if (flags.iptables && flags.hostIp.length === 0)
    throw usage('--host-ip must be set for --iptables. Set HOST_IP from status.podIP in the manifest.');
  if (flags.node === undefined && flags.hostIp.length === 0)
    throw usage(
      'neither --node nor --host-ip is given, so that it cannot be told whose pods to serve. Set NODE_NAME from spec.nodeName in the manifest.',
    );
  const notes: string[] = [];
  return {
    process: {
      jsonLog: flags.logFormat.toLowerCase() === 'json',
      level: flags.verbose ? 'debug' : levelOf(flags.logLevel),
      prometheusListenAddr: telemetryAddress(flags, notes),
      pprofListenAddr: flags.pprofListenAddr,
      untilStdinEnds: flags.untilStdinEnds,
    },
    metadataEndpoint: endpointOf(flags.metadataAddr),
    sessionMillis: sessionOf(flags.iamRoleSessionTtl, notes),
    notes,
  };
}

/**
 * At the door every pod of the node could read them, and they name the roles of all others: kube2iam's default.
 */
function telemetryAddress(
  { prometheusListenAddr, metricsPort, appPort }: StandaloneFlags,
  notes: string[],
): string {
  if (prometheusListenAddr !== undefined) return prometheusListenAddr;
  // 0 is a port of its own each time.
  if (metricsPort !== appPort || metricsPort === 0) return `:${metricsPort}`;
  notes.push(
    `metrics are served at port ${otherMetricsPort} and not at ${appPort}, where pods could read them; give another --metrics-port to choose one`,
  );
  return `:${otherMetricsPort}`;
}

/** kube2iam asks STS for twice its flag, so that what it gives out has half of its time left. */
function sessionOf(ttl: number, notes: string[]): number {
  const millis = Math.min(Math.max(2 * ttl, shortestSession), longestSession);
  if (millis !== 2 * ttl) {
    notes.push(
      `--iam-role-session-ttl=${formatDuration(ttl)} asks for sessions of ${formatDuration(2 * ttl)}; AWS gives 15m to 12h, so ${formatDuration(millis)} is used`,
    );
  }
  return millis;
}

/** kube2iam takes a host, with or without a port. */
function endpointOf(address: string): string {
  const url = URL.parse(`http://${address}`);
  if (url !== null && url.host !== '' && url.pathname === '/' && url.username === '' && url.search === '')
    return `http://${url.host}`;
  throw usage(
    `--metadata-addr ${JSON.stringify(address)} is not HOST or HOST:PORT, such as 169.254.169.254.`,
  );
}

function levelOf(level: StandaloneFlags['logLevel']): LogLevel {
  switch (level) {
    case 'panic':
    case 'fatal':
      return 'error';
    case 'warning':
      return 'warn';
    case 'trace':
      return 'debug';
    default:
      return level;
  }
}

function usage(text: string): PodpassError {
  return new PodpassError('ERR_USAGE', text);
}
