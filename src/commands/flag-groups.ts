import { logLevels } from '../telemetry/logger.ts';
import { flag } from './flags.ts';

/** Flags that several commands share, with kiam's names, types and defaults. */

export const logFlags = {
  jsonLog: flag.boolean({ name: 'json-log', help: 'Write the log as one JSON object per line.' }),
  level: flag.choice({
    name: 'level',
    choices: logLevels,
    default: 'info',
    help: 'Log level: debug, info, warn, error.',
  }),
};

export const tlsFlags = {
  cert: flag.requiredText({ name: 'cert', placeholder: 'FILE', help: 'Own certificate, PEM.' }),
  key: flag.requiredText({ name: 'key', placeholder: 'FILE', help: 'Private key of the certificate, PEM.' }),
  ca: flag.requiredText({
    name: 'ca',
    placeholder: 'FILE',
    help: 'CA bundle that the other side must be signed by, PEM.',
  }),
};

/** Flags of the processes that run until they are asked to end. */
export const processFlags = {
  untilStdinEnds: flag.boolean({
    name: 'until-stdin-ends',
    help: 'End when standard input ends, too: for a parent process that may die without a word.',
  }),

  prometheusListenAddr: flag.text({
    name: 'prometheus-listen-addr',
    placeholder: 'HOST:PORT',
    help: 'Serve /metrics, /healthz and /readyz here. Off unless given.',
  }),
};

export const serverAddressFlags = {
  serverAddress: flag.list({
    name: 'server-address',
    placeholder: 'HOST:PORT',
    default: ['localhost:9610'],
    help: 'Address of the podpass (or kiam) server. The host is also the name in its certificate. Several may be given.',
  }),
};

/** kiam's keep-alive flags, which both sides have. */
export const keepaliveFlags = {
  grpcKeepaliveTimeDuration: flag.duration({
    name: 'grpc-keepalive-time-duration',
    default: 10_000,
    min: 1_000,
    help: 'How often a quiet connection is tested.',
  }),
  grpcKeepaliveTimeoutDuration: flag.duration({
    name: 'grpc-keepalive-timeout-duration',
    default: 2_000,
    min: 100,
    help: 'How long the answer to such a test may take before the connection is given up.',
  }),
};
