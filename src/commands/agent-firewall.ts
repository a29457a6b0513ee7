import { networkInterfaces } from 'node:os';
import { PodpassError } from '../base/errors.ts';
import { agentHosts } from '../node/agent-hosts.ts';
import { type Firewall, installFirewall } from '../node/firewall.ts';
import { parseHostInterfaces } from '../node/host-interfaces.ts';
import { hostView } from '../node/host-view.ts';
import type { Redirect } from '../node/redirect.ts';
import { runTool } from '../node/run-tool.ts';
import type { firewallFlags } from './firewall-flags.ts';
import type { FlagValues } from './flags.ts';
import type { ProcessContext } from './process-context.ts';

type FirewallFlags = FlagValues<typeof firewallFlags>;

/** What a command calls the flags that say where the rule leads to. */
export interface RedirectFlagNames {
  readonly host: string;
  readonly port: string;
}

/**
 * What the rule is to say, from the flags.
 *
 * @throws PodpassError ERR_USAGE
 */
export function redirectOf(
  flags: FirewallFlags & {
    readonly host: readonly string[];
    readonly port: number;
    readonly listenHost: string | undefined;
  },
  names: RedirectFlagNames = { host: 'host', port: 'port' },
): Redirect {
  const { port, listenHost } = flags;
  const interfaces = parseHostInterfaces(flags.hostInterface);
  const hosts = agentHosts({
    flagName: names.host,
    given: flags.host,
    interfaces,
    found: networkInterfaces(),
  });
  if (port === 0)
    throw new PodpassError('ERR_USAGE', `--iptables needs a --${names.port} that the rule can name, not 0.`);
  const answered = ['0.0.0.0', '::', ...Object.values(hosts)];
  if (listenHost !== undefined && !answered.includes(listenHost)) {
    throw new PodpassError(
      'ERR_USAGE',
      `--listen-host=${listenHost} is not where the rule of --iptables sends requests (${Object.values(hosts).join(', ')}). Leave it out, or make --${names.host} the same.`,
    );
  }
  return { interfaces, hosts, port };
}

/** @throws PodpassError ERR_FIREWALL */
export function startFirewall(
  redirect: Redirect,
  flags: FirewallFlags,
  { clock, logger, metrics, health }: Pick<ProcessContext, 'clock' | 'logger' | 'metrics' | 'health'>,
): Promise<Firewall> {
  return installFirewall({
    redirect,
    kind: flags.firewall,
    routeGuard: flags.routeGuard,
    checkIntervalMillis: flags.firewallCheckInterval,
    run: runTool,
    host: hostView,
    clock,
    logger,
    metrics,
    health,
  });
}
