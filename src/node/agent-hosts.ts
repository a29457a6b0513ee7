import { isIPv4, isIPv6 } from 'node:net';
import type { NetworkInterfaceInfo } from 'node:os';
import { PodpassError } from '../base/errors.ts';
import { canonicalAddress } from '../identity/address.ts';
import { type HostInterfaces, isPodInterface } from './host-interfaces.ts';
import type { Family } from './metadata-addresses.ts';

export interface AgentHostsOptions {
  /** What the flag is called, for messages. */
  readonly flagName: string;
  /** The node's addresses, at most one of each family is used, the first. */
  readonly given: readonly string[];
  readonly interfaces: HostInterfaces;
  /** What `os.networkInterfaces()` says. */
  readonly found: Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;
}

/**
 * The addresses that the rule sends requests to. IPv4 as given; IPv6 as given, or else an address of the node, so that
 * manifests with a single `HOST_IP` serve pods of both families.
 *
 * @throws PodpassError ERR_USAGE when none is given, or one is no address
 */
export function agentHosts({
  flagName,
  given,
  interfaces,
  found,
}: AgentHostsOptions): Partial<Record<Family, string>> {
  const hosts = given.map((host) => {
    const address = canonicalAddress(host);
    if (address !== undefined) return address;
    throw new PodpassError(
      'ERR_USAGE',
      `--${flagName} cannot be used: ${JSON.stringify(host)} is not an address.`,
    );
  });
  const v4 = hosts.find(isIPv4);
  const v6 = hosts.find(isIPv6) ?? ownIPv6(interfaces, found);
  if (given.length === 0) {
    throw new PodpassError(
      'ERR_USAGE',
      `--iptables needs --${flagName}, the address of the node that requests are sent to. Set HOST_IP from status.podIP in the manifest.`,
    );
  }
  return { ...(v4 === undefined ? {} : { v4 }), ...(v6 === undefined ? {} : { v6 }) };
}

/**
 * Of the node's own interfaces, not of a bridge to the pods: a CNI may take an address of a bridge away. Link-local
 * addresses mean nothing beyond their link.
 */
function ownIPv6(interfaces: HostInterfaces, found: AgentHostsOptions['found']): string | undefined {
  const usable = Object.entries(found).flatMap(([name, addresses = []]) =>
    addresses
      .filter(
        ({ family, internal, address }) => family === 'IPv6' && !internal && !/^fe[89ab]/i.test(address),
      )
      .map(({ address }) => ({ address, isPods: isPodInterface(interfaces, name) })),
  );
  return (usable.find(({ isPods }) => !isPods) ?? usable[0])?.address;
}
