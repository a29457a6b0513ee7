import { createInterner, type Interner } from './interner.ts';
import { isJsonObject, member, textMember } from './json-object.ts';
import type { Node } from './objects.ts';
import { projectAnnotations, projectIdentity } from './project-object.ts';
import { createReflector, type ReflectorSettings } from './reflector.ts';
import type { Watch } from './watch.ts';

/** Watches the nodes of the cluster. Needs the rights to list and watch nodes. */
export function watchNodes(settings: ReflectorSettings): Watch<Node> {
  const intern = createInterner();
  return createReflector({
    ...settings,
    resource: { path: nodesPath, name: 'nodes' },
    project: (raw) => projectNode(raw, intern),
  });
}

export const nodesPath = '/api/v1/nodes';

/**
 * Where CNIs note the addresses that a node's own packets to pods elsewhere carry. Some have a prefix length behind
 * them.
 */
const addressAnnotations: ReadonlySet<string> = new Set([
  'projectcalico.org/IPv4Address',
  'projectcalico.org/IPv6Address',
  'projectcalico.org/IPv4IPIPTunnelAddr',
  'projectcalico.org/IPv4VXLANTunnelAddr',
  'projectcalico.org/IPv6VXLANTunnelAddr',
  'projectcalico.org/IPv4WireguardInterfaceAddr',
  'projectcalico.org/IPv6WireguardInterfaceAddr',
  'network.cilium.io/ipv4-cilium-host',
  'network.cilium.io/ipv6-cilium-host',
  'io.cilium.network.ipv4-cilium-host',
  'io.cilium.network.ipv6-cilium-host',
  'flannel.alpha.coreos.com/public-ip',
  'flannel.alpha.coreos.com/public-ipv6',
]);
const addressTypes: ReadonlySet<unknown> = new Set(['InternalIP', 'ExternalIP']);
const maxAddresses = 32;
const maxAddressLength = 64;

/** What podpass keeps of a node, or `undefined` when `raw` has no UID, name or resource version. */
export function projectNode(raw: unknown, intern: Interner = (text) => text): Node | undefined {
  const identity = projectIdentity(raw, intern);
  if (!identity) return undefined;
  const spec = member(raw, 'spec');
  const noted = Object.values(projectAnnotations(raw, addressAnnotations, intern));
  return {
    ...identity,
    namespace: '',
    addresses: [...statusAddresses(raw), ...noted.map(withoutPrefix)].filter(
      (address) => address !== '' && address.length <= maxAddressLength,
    ),
    podCIDRs: podRanges(spec),
  };
}

function statusAddresses(raw: unknown): string[] {
  const listed = member(member(raw, 'status'), 'addresses');
  if (!Array.isArray(listed)) return [];
  return listed
    .slice(0, maxAddresses)
    .filter((entry) => isJsonObject(entry) && addressTypes.has(member(entry, 'type')))
    .map((entry) => textMember(entry, 'address', maxAddressLength));
}

function podRanges(spec: unknown): readonly string[] {
  const listed = member(spec, 'podCIDRs');
  const all = Array.isArray(listed) ? listed.slice(0, maxAddresses) : [member(spec, 'podCIDR')];
  return all.filter((range) => typeof range === 'string' && range.length <= maxAddressLength);
}

/** `10.0.0.1/24`, as Calico writes an address with the length of its network. */
function withoutPrefix(address: string): string {
  const slash = address.indexOf('/');
  return slash === -1 ? address : address.slice(0, slash);
}
