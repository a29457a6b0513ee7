import { firewallFlags } from './firewall-flags.ts';
import { keepaliveFlags, logFlags, processFlags, serverAddressFlags, tlsFlags } from './flag-groups.ts';
import { flag, grouped, retired } from './flags.ts';

/** Where deploy/manifests/agent.yaml mounts it. */
export const defaultTokenFile = '/var/run/secrets/podpass/token';

/** The flags of `podpass agent`. Those that kiam's agent has keep its names, types and defaults. */
export const agentFlags = {
  ...grouped('Metadata door', {
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
      renamed: ['whitelist-route-regexp'],
      placeholder: 'RE2',
      default: '^$',
      help: 'Other metadata paths that pods may read. Credentials of the node are never among them.',
    }),
    metadataEndpoint: flag.text({
      name: 'metadata-endpoint',
      placeholder: 'URL',
      default: 'http://169.254.169.254',
      help: 'The metadata service behind --allow-route-regexp.',
    }),
    allowIpQuery: flag.boolean({
      name: 'allow-ip-query',
      help: 'Take the address of the pod from ?ip=. For development only: it lets every caller be every pod.',
    }),
  }),
  ...grouped('Node', {
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
    tokenFile: flag.text({
      name: 'token-file',
      placeholder: 'FILE',
      help: `Service account token, for the audience podpass, that shows servers which node this agent is on. ${defaultTokenFile} where that exists, unless given.`,
    }),
  }),
  ...firewallFlags,
  ...serverAddressFlags,
  ...tlsFlags,
  ...keepaliveFlags,
  ...logFlags,
  ...processFlags,
  ...retired(
    'the agent does not end when no server answers: it goes on trying, and is not ready until one does',
    {
      gatewayTimeoutCreation: flag.duration({
        name: 'gateway-timeout-creation',
        default: 1_000,
        help: 'How long the first connection to a server may take before the agent ends.',
      }),
    },
  ),
};
