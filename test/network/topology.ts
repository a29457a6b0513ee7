import type { Scope } from '../parts/scope.ts';
import { createNamespaces, ipIn, setKernel } from './namespaces.ts';

/** How pods are joined to their node. */
export type Wiring =
  /** One bridge for all, as docker0, cni0 and kubenet's cbr0. */
  | 'bridge'
  /** One veth pair and one host route for each pod, as Calico (`cali…`) and AWS's VPC plugin (`eni…`). */
  | 'routed';

export interface PodNetwork {
  readonly namespace: string;
  readonly ipv4: string;
  readonly ipv6: string;
  /** The interface on the node through which the pod's packets arrive. */
  readonly nodeInterface: string;
}

/**
 * A node with its pods, and EC2 behind it, each a network namespace that nothing leaves:
 *
 * ```
 *   pod-0 ┐
 *   pod-1 ┼─ node ── ec2, which owns 169.254.169.254 and fd00:ec2::254
 *   pod-2 ┘
 * ```
 *
 * The node forwards, and EC2 knows the way back to the pods: without a rule a pod reaches the node's metadata.
 */
export interface Topology {
  readonly node: string;
  readonly ec2: string;
  readonly pods: readonly PodNetwork[];
  /** What `--host-interface` has to be. */
  readonly hostInterface: string;
  /** The node's own addresses on the way to EC2. */
  readonly nodeIpv4: string;
  readonly nodeIpv6: string;
}

export interface TopologyOptions {
  readonly wiring?: Wiring;
  readonly pods?: number;
  /** First letters of the pods' interfaces on the node, where they are routed. Default `cali`. */
  readonly prefix?: 'cali' | 'eni';
  /** Further addresses of the first pod's namespace, which then stands for many pods. */
  readonly addressesOfFirst?: number;
}

export const metadataIpv4 = '169.254.169.254';
export const metadataIpv6 = 'fd00:ec2::254';
export const nodeIpv4 = '10.78.0.1';
export const nodeIpv6 = 'fd78::1';

/** As Calico has it: the same on every node, so that a pod's neighbour entry can be written down. */
const gatewayMac = 'ee:ee:ee:ee:ee:ee';

export function createTopology(scope: Scope, options: TopologyOptions = {}): Topology {
  const { wiring = 'bridge', pods: podCount = 2, prefix = 'cali', addressesOfFirst = 0 } = options;
  const namespaces = createNamespaces(scope);
  const node = namespaces.make('node');
  const ec2 = namespaces.make('ec2');

  // A pod's packets are let through whatever source they have: what stops a false one must not be this setting.
  setKernel(node, {
    'net.ipv4.ip_forward': 1,
    'net.ipv6.conf.all.forwarding': 1,
    'net.ipv4.conf.all.rp_filter': 0,
    'net.ipv4.conf.default.rp_filter': 0,
  });
  ipIn(ec2, [
    `link add eth0 type veth peer name eth0 netns ${node}`,
    'link set eth0 up',
    'address add 10.78.0.2/24 dev eth0',
    'address add fd78::2/64 dev eth0 nodad',
    `address add ${metadataIpv4}/32 dev lo`,
    `address add ${metadataIpv6}/128 dev lo nodad`,
    `route add default via ${nodeIpv4}`,
    `route add ::/0 via ${nodeIpv6}`,
  ]);
  ipIn(node, [
    'link set eth0 up',
    `address add ${nodeIpv4}/24 dev eth0`,
    `address add ${nodeIpv6}/64 dev eth0 nodad`,
    'route add default via 10.78.0.2',
    'route add ::/0 via fd78::2',
  ]);
  if (wiring === 'bridge') makeBridge(node);

  const pods = Array.from({ length: podCount }, (_, index): PodNetwork => {
    const namespace = namespaces.make(`pod-${index}`);
    const nodeInterface = wiring === 'bridge' ? 'cni0' : `${prefix}${index}`;
    const pod = { namespace, ...podAddresses(10 + index), nodeInterface };
    if (wiring === 'bridge') joinBridge(node, pod, index);
    else joinRouted(node, pod);
    return pod;
  });
  const [first] = pods;
  if (first) {
    const lines = Array.from({ length: addressesOfFirst }, (_, index) => podAddresses(100 + index));
    ipIn(
      first.namespace,
      lines.map(({ ipv4 }) => `address add ${ipv4}/32 dev eth0`),
    );
    if (wiring === 'routed') {
      ipIn(
        node,
        lines.map(({ ipv4 }) => `route add ${ipv4}/32 dev ${first.nodeInterface}`),
      );
    }
  }
  const hostInterface = wiring === 'bridge' ? 'cni0' : `${prefix}+`;
  return { node, ec2, pods, hostInterface, nodeIpv4, nodeIpv6 };
}

/** The addresses of the pod with this number, 2 to 254. */
export function podAddresses(number: number): { readonly ipv4: string; readonly ipv6: string } {
  return { ipv4: `10.77.0.${number}`, ipv6: `fd77::${number.toString(16)}` };
}

function makeBridge(node: string): void {
  ipIn(node, [
    'link add cni0 type bridge',
    'link set cni0 up',
    'address add 10.77.0.1/24 dev cni0',
    'address add fd77::1/64 dev cni0 nodad',
  ]);
}

function joinBridge(node: string, { namespace, ipv4, ipv6 }: PodNetwork, index: number): void {
  ipIn(node, [
    `link add veth${index} type veth peer name eth0 netns ${namespace}`,
    `link set veth${index} master cni0 up`,
  ]);
  ipIn(namespace, [
    'link set eth0 up',
    `address add ${ipv4}/24 dev eth0`,
    `address add ${ipv6}/64 dev eth0 nodad`,
    'route add default via 10.77.0.1',
    'route add ::/0 via fd77::1',
  ]);
}

function joinRouted(node: string, { namespace, ipv4, ipv6, nodeInterface }: PodNetwork): void {
  ipIn(node, [
    `link add ${nodeInterface} address ${gatewayMac} type veth peer name eth0 netns ${namespace}`,
    `link set ${nodeInterface} up`,
    `address add fe80::1/64 dev ${nodeInterface} nodad`,
    `route add ${ipv4}/32 dev ${nodeInterface}`,
    `route add ${ipv6}/128 dev ${nodeInterface}`,
  ]);
  ipIn(namespace, [
    'link set eth0 up',
    `address add ${ipv4}/32 dev eth0`,
    `address add ${ipv6}/128 dev eth0 nodad`,
    'route add 169.254.1.1 dev eth0 scope link',
    `neighbour add 169.254.1.1 lladdr ${gatewayMac} dev eth0 nud permanent`,
    'route add default via 169.254.1.1',
    'route add ::/0 via fe80::1 dev eth0',
  ]);
}
