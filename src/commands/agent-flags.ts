import { firewallFlags } from './firewall-flags.ts';
import { keepaliveFlags, logFlags, processFlags, serverAddressFlags, tlsFlags } from './flag-groups.ts';
import { flag } from './flags.ts';

/** The flags of `podpass agent`. Those that kiam's agent has keep its names, types and defaults. */
export const agentFlags = {
  ...logFlags,
  ...tlsFlags,
  ...processFlags,
  ...serverAddressFlags,
  ...keepaliveFlags,
  port: flag.integer({
    name: 'port',
    default: 3100,
    min: 0,
    max: 65_535,
    help: 'Port of the metadata door.',
  }),
  listenHost: flag.text({
    name: 'listen-host',
    placeholder: 'ADDRESS',
    help: 'Address of the metadata door. All addresses, IPv4 and IPv6, unless given.',
  }),
  nodeName: flag.text({
    name: 'node-name',
    placeholder: 'NAME',
    alsoEnv: 'NODE_NAME',
    help: 'Name of the node this agent serves, from spec.nodeName. Needed unless --host is given.',
  }),
  host: flag.list({
    name: 'host',
    placeholder: 'ADDRESS',
    default: [],
    alsoEnv: 'HOST_IP',
    help: "Address of the node this agent serves, from status.podIP: where --iptables sends requests. Also used to find the node's name where that is not given. An IPv6 address may follow.",
  }),
  ...firewallFlags,
  imds: flag.choice({
    name: 'imds',
    choices: ['v2-preferred', 'v2-required'],
    default: 'v2-preferred',
    help: 'v2-preferred answers requests with and without a session token; v2-required answers 401 to those without.',
  }),
  podWait: flag.duration({
    name: 'pod-wait',
    default: 800,
    help: 'How long a request of a pod that is not known yet is held before it is answered 503. AWS SDKs wait 1 s.',
  }),
  allowRouteRegexp: flag.text({
    name: 'allow-route-regexp',
    placeholder: 'RE2',
    default: '^$',
    help: 'Other metadata paths that pods may read. Credentials of the node are never among them.',
  }),
  allowIpQuery: flag.boolean({
    name: 'allow-ip-query',
    help: 'Take the address of the pod from ?ip=. For development only: it lets every caller be every pod.',
  }),
  metadataEndpoint: flag.text({
    name: 'metadata-endpoint',
    placeholder: 'URL',
    default: 'http://169.254.169.254',
    help: 'The metadata service behind --allow-route-regexp.',
  }),
};
