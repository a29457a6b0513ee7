import { anyCase } from './any-case.ts';
import { firewallFlags } from './firewall-flags.ts';
import { allowListFlags, processFlags, sessionNameFlags } from './flag-groups.ts';
import { flag, grouped, retired } from './flags.ts';

const { prometheusListenAddr, pprofListenAddr, untilStdinEnds } = processFlags;

/** kube2iam's library for its log takes them in any case, and these are all that it has. */
const logLevels = ['panic', 'fatal', 'error', 'warn', 'warning', 'info', 'debug', 'trace'] as const;

/** What says where an instance is and what it is, and nothing that a pod could use to be the node. */
const harmlessRoutes =
  '^/[^/]+/(meta-data/(placement/.*|instance-id|instance-type|ami-id|mac|hostname|local-hostname|local-ipv4|services/(domain|partition))|dynamic/instance-identity/document)$';

/** The flags of `podpass standalone`. Those that kube2iam has keep its names and types; docs say where a default differs. */
export const standaloneFlags = {
  ...grouped('Metadata door', {
    appPort: flag.integer({
      name: 'app-port',
      default: 8181,
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
    tokenKeyFile: flag.text({
      name: 'token-key-file',
      placeholder: 'FILE',
      help: 'What session tokens are signed with, made if it is not there: on a tmpfs of the node, such as /run/podpass/token-key. Without it, tokens end with the process, and clients ask for new ones.',
    }),
    podWait: flag.duration({
      name: 'pod-wait',
      default: 800,
      help: 'How long a request of a pod that is not known yet is held before it is answered 503. AWS SDKs wait 1 s.',
    }),
    allowRouteRegexp: flag.text({
      name: 'allow-route-regexp',
      placeholder: 'RE2',
      default: harmlessRoutes,
      help: 'Other metadata paths that pods may read. Credentials of the node are never among them.',
    }),
    metadataAddr: flag.text({
      name: 'metadata-addr',
      placeholder: 'HOST[:PORT]',
      default: '169.254.169.254',
      help: 'The metadata service behind --allow-route-regexp, and that is asked for what is discovered. The rule of --iptables always names the address that SDKs call.',
    }),
  }),
  ...grouped('Node', {
    node: flag.text({
      name: 'node',
      placeholder: 'NAME',
      alsoEnv: 'NODE_NAME',
      help: 'Name of this node, whose pods are served. Without it, the API server is asked which node has --host-ip.',
    }),
    hostIp: flag.list({
      name: 'host-ip',
      placeholder: 'ADDRESS',
      default: [],
      alsoEnv: 'HOST_IP',
      help: 'Address of this node, where --iptables sends requests. An IPv6 address may follow.',
    }),
  }),
  ...firewallFlags,
  ...grouped('Firewall rule', {
    hostInterface: {
      ...flag.list({
        name: 'host-interface',
        placeholder: 'NAME',
        default: [],
        help: 'Interfaces through which packets of pods arrive: eni+, cali+, !eth0 (all but eth0), or a list.',
      }),
      shownDefault: 'all but that of the default route',
    },
  }),
  ...grouped('Cluster', {
    kubeconfig: flag.text({
      name: 'kubeconfig',
      placeholder: 'FILE',
      help: 'How to reach the Kubernetes API. The service account of the pod unless given.',
    }),
    apiServer: flag.text({
      name: 'api-server',
      placeholder: 'URL',
      help: 'Address of the Kubernetes API, with --api-token.',
    }),
    apiToken: flag.text({
      name: 'api-token',
      placeholder: 'TOKEN',
      help: 'Bearer token for --api-server. Better given as PODPASS_API_TOKEN: arguments can be read by others.',
    }),
    insecure: flag.boolean({
      name: 'insecure',
      help: 'Do not verify the certificate of the Kubernetes API. Whoever is between can then decide about roles.',
    }),
  }),
  ...grouped('Roles', {
    baseRoleArn: flag.text({
      name: 'base-role-arn',
      placeholder: 'ARN',
      help: 'What role names are put behind: arn:aws:iam::123456789012:role/. Without one, only full ARNs are understood.',
    }),
    autoDiscoverBaseArn: flag.boolean({
      name: 'auto-discover-base-arn',
      help: 'Take the base ARN from the instance profile, as the EC2 metadata service has it.',
    }),
    defaultRole: flag.text({
      name: 'default-role',
      placeholder: 'ROLE',
      help: 'Role (name or ARN) of pods without the annotation.',
    }),
    autoDiscoverDefaultRole: flag.boolean({
      name: 'auto-discover-default-role',
      help: 'Take base ARN and default role from the instance profile. Its role must trust itself.',
    }),
    defaultRoleBypassesRestrictions: flag.boolean({
      name: 'default-role-bypasses-restrictions',
      help: 'Give the default role to pods of namespaces that do not permit it, too, as kube2iam does.',
    }),
    iamRoleKey: flag.text({
      name: 'iam-role-key',
      placeholder: 'KEY',
      default: 'iam.amazonaws.com/role',
      help: 'Annotation of a pod that names its role.',
    }),
    iamExternalId: flag.text({
      name: 'iam-external-id',
      placeholder: 'KEY',
      default: 'iam.amazonaws.com/external-id',
      help: 'Annotation of a pod that holds the external id: the key, not the id.',
    }),
    namespaceRestrictions: flag.boolean({
      name: 'namespace-restrictions',
      help: 'A pod may have a role only if an annotation of its namespace permits it.',
    }),
    ...allowListFlags,
  }),
  ...grouped('Sessions', {
    iamRoleSessionTtl: flag.duration({
      name: 'iam-role-session-ttl',
      default: 900_000,
      help: 'Half of how long sessions last: what is left of credentials at the least when they are given out. 7m30s to 6h; 30m at the most where podpass itself uses a role.',
    }),
    ...sessionNameFlags,
  }),
  ...grouped('AWS', {
    region: flag.text({
      name: 'region',
      placeholder: 'REGION',
      help: 'Region whose STS endpoint is called. AWS_REGION, AWS_DEFAULT_REGION or that of the instance unless given.',
    }),
    stsEndpoint: flag.text({
      name: 'sts-endpoint',
      placeholder: 'URL',
      help: 'Call STS here, such as a VPC endpoint without private DNS.',
    }),
    stsRate: flag.integer({
      name: 'sts-rate',
      default: 10,
      min: 1,
      max: 600,
      help: 'Calls of STS per second and account that this node allows itself. AWS allows 600 to everybody in the account.',
    }),
  }),
  ...grouped('Log', {
    logFormat: flag.text({
      name: 'log-format',
      placeholder: 'FORMAT',
      default: 'text',
      help: 'json writes the log as one JSON object per line; anything else is text.',
    }),
    logLevel: anyCase(
      flag.choice({
        name: 'log-level',
        choices: logLevels,
        default: 'info',
        help: 'Log level: debug, info, warn, error. trace is debug, panic and fatal are error.',
      }),
    ),
    verbose: flag.boolean({ name: 'verbose', help: 'Log level debug, whatever --log-level says.' }),
  }),
  ...grouped('Process', {
    metricsPort: flag.integer({
      name: 'metrics-port',
      default: 8181,
      min: 0,
      max: 65_535,
      help: 'Serve /metrics, /healthz and /readyz here. Never at the metadata door, which pods reach: if it is the same as --app-port, at 9620.',
    }),
    prometheusListenAddr: {
      ...prometheusListenAddr,
      help: 'Serve /metrics, /healthz and /readyz here instead of at --metrics-port.',
    },
    pprofListenAddr,
    debug: flag.boolean({
      name: 'debug',
      help: 'Serve /debug/store beside the metrics, to callers on loopback alone.',
    }),
    untilStdinEnds,
    version: flag.boolean({ name: 'version', help: 'Print the version and end.' }),
  }),
  ...retired('what STS refuses is remembered and asked again ever more rarely, from 10s to 10m', {
    iamRoleErrorTtl: flag.duration({
      name: 'iam-role-error-ttl',
      default: 0,
      help: 'How long a refusal of STS is remembered.',
    }),
  }),
  ...retired('a request is held until its pod is known, for --pod-wait, and asks nobody in the meantime', {
    backoffMaxInterval: flag.duration({
      name: 'backoff-max-interval',
      default: 1_000,
      help: 'Longest pause between two looks for the pod of a request.',
    }),
    backoffMaxElapsedTime: flag.duration({
      name: 'backoff-max-elapsed-time',
      default: 2_000,
      help: 'How long the pod of a request is looked for.',
    }),
  }),
  ...retired('changes of pods are pushed, and none is lost that would have to be looked for', {
    cacheResyncPeriod: flag.duration({
      name: 'cache-resync-period',
      default: 1_800_000,
      help: 'How often known pods are gone through again.',
    }),
  }),
  ...retired(
    'finished pods own no address and pods of the host network are told apart, so that two pods on one address are refused and not guessed',
    {
      resolveDuplicateCacheIps: flag.boolean({
        name: 'resolve-duplicate-cache-ips',
        help: 'Ask the API server which of several pods has an address.',
      }),
    },
  ),
  ...retired('the endpoint of the region is always called where the region is known', {
    useRegionalStsEndpoint: flag.boolean({
      name: 'use-regional-sts-endpoint',
      help: 'Call the STS endpoint of the region.',
    }),
  }),
};
