import { defaultAnnotationKeys } from '../roles/annotation-keys.ts';
import { logLevels } from '../telemetry/logger.ts';
import { anyCase } from './any-case.ts';
import { flag, grouped, retired } from './flags.ts';

/** Flags that several commands share, with kiam's names, types and defaults, or kube2iam's where kiam has none. */

export const logFlags = grouped('Log', {
  jsonLog: flag.boolean({ name: 'json-log', help: 'Write the log as one JSON object per line.' }),
  level: flag.choice({
    name: 'level',
    choices: logLevels,
    default: 'info',
    help: 'Log level: debug, info, warn, error.',
  }),
});

export const tlsFlags = grouped('Certificates', {
  cert: flag.requiredFile({ name: 'cert', help: 'Own certificate, PEM.' }),
  key: flag.requiredFile({ name: 'key', help: 'Private key of the certificate, PEM.' }),
  ca: flag.requiredFile({ name: 'ca', help: 'CA bundle that the other side must be signed by, PEM.' }),
});

/** Flags of the processes that run until they are asked to end. */
export const processFlags = {
  ...grouped('Process', {
    prometheusListenAddr: flag.text({
      name: 'prometheus-listen-addr',
      placeholder: 'HOST:PORT',
      help: 'Serve /metrics, /healthz and /readyz here. Off unless given.',
    }),
    pprofListenAddr: flag.text({
      name: 'pprof-listen-addr',
      placeholder: 'HOST:PORT',
      help: 'Serve CPU and heap profiles here, on loopback whatever the host. Off unless given.',
    }),
    untilStdinEnds: flag.boolean({
      name: 'until-stdin-ends',
      help: 'End when standard input ends, too: for a parent process that may die without a word.',
    }),
  }),
  ...retired('metrics are for Prometheus and always of the moment', {
    prometheusSyncInterval: flag.duration({
      name: 'prometheus-sync-interval',
      default: 5_000,
      help: 'How often metrics are brought up to date.',
    }),
    statsd: flag.text({ name: 'statsd', placeholder: 'HOST:PORT', help: 'Address of a StatsD server.' }),
    statsdPrefix: flag.text({
      name: 'statsd-prefix',
      placeholder: 'PREFIX',
      default: 'kiam',
      help: "What StatsD's names begin with.",
    }),
    statsdInterval: flag.duration({
      name: 'statsd-interval',
      default: 100,
      help: 'How often metrics are sent to StatsD.',
    }),
  }),
};

export const serverAddressFlags = {
  ...grouped('Servers', {
    serverAddress: flag.list({
      name: 'server-address',
      placeholder: 'HOST:PORT',
      default: ['localhost:9610'],
      help: 'Address of the podpass (or kiam) server. The host is also the name in its certificate. Several may be given.',
    }),
  }),
  ...retired('names of servers are looked up again whenever that can help', {
    serverAddressRefresh: flag.duration({
      name: 'server-address-refresh',
      default: 0,
      help: 'How often server names are looked up. Deprecated in kiam.',
    }),
  }),
  ...retired(
    'a podpass server is always tested, and a kiam server ends the connection of who pings without a call',
    {
      grpcKeepalivePermitWithoutStream: flag.boolean({
        name: 'grpc-keepalive-permit-without-stream',
        help: 'Test connections without a call, too.',
      }),
    },
  ),
};

/** kiam's keep-alive flags, which both sides have. Below the floor gRPC for Go takes the floor, without a word. */
export const keepaliveFlags = grouped('Connections', {
  grpcKeepaliveTimeDuration: flag.duration({
    name: 'grpc-keepalive-time-duration',
    renamed: ['grpc-keepalive-time-ms'],
    renamedMillis: true,
    default: 10_000,
    floor: 1_000,
    help: 'How often a quiet connection is tested.',
  }),
  grpcKeepaliveTimeoutDuration: flag.duration({
    name: 'grpc-keepalive-timeout-duration',
    renamed: ['grpc-keepalive-timeout-ms'],
    renamedMillis: true,
    default: 2_000,
    floor: 100,
    help: 'How long the answer to such a test may take before the connection is given up.',
  }),
});

/** What namespaces permit, in kube2iam's words. */
export const allowListFlags = grouped('Roles', {
  namespaceRestrictionFormat: anyCase(
    flag.choice({
      name: 'namespace-restriction-format',
      choices: ['glob', 'regexp'],
      default: 'glob',
      help: 'How the roles of --namespace-key are written.',
    }),
  ),
  namespaceKey: flag.text({
    name: 'namespace-key',
    placeholder: 'KEY',
    default: defaultAnnotationKeys.allowedRoles,
    help: 'Annotation of a namespace: the roles that its pods may have, as a JSON array.',
  }),
});

export const sessionNameFlags = grouped('Sessions', {
  sessionNameFormat: flag.choice({
    name: 'session-name-format',
    choices: ['kiam', 'kube2iam'],
    default: 'kiam',
    help: "Names of sessions: kiam's are the same for all pods that ask for none; kube2iam's are made of the pod's address and the role, so that each pod has a session of its own.",
  }),
});
