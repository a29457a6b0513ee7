import { findIptables } from './find-iptables.ts';
import type { HostView } from './host-view.ts';
import { wantedInterfaces } from './iptables-rules.ts';
import type { Redirect } from './redirect.ts';
import type { RunTool } from './run-tool.ts';

export interface FindOtherAgentOptions {
  readonly redirect: Redirect;
  readonly run: RunTool;
  readonly host: HostView;
}

/**
 * Another agent of this node that answers our pods, kiam's as a rule: one of iptables sends the requests of each of our
 * interfaces to another port of the node, and somebody listens there.
 *
 * @returns where it listens, as `10.0.0.1:8181`; `undefined` when there is none, or nothing that is certain to be one
 */
export async function findOtherAgent(options: FindOtherAgentOptions): Promise<string | undefined> {
  const { redirect, run, host } = options;
  // Where several interfaces are excluded, no rule of one line covers the same.
  const names = wantedInterfaces(redirect.interfaces);
  const found = names && (await findIptables(run, host));
  if (!names || !found) return undefined;
  const destinations = new Set(
    // Of several rules the first wins.
    names.map((name) => found.redirects.find((rule) => [name, '+'].includes(rule.interface))?.destination),
  );
  const [destination = ''] = destinations;
  const [, address, port] = /^([\d.]+):(\d+)$/.exec(destination) ?? [];
  if (destinations.size !== 1 || address !== redirect.hosts.v4 || Number(port) === redirect.port)
    return undefined;
  return (await host.countListeners(Number(port))) > 0 ? destination : undefined;
}
