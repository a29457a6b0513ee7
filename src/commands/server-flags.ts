import {
  allowListFlags,
  keepaliveFlags,
  logFlags,
  processFlags,
  sessionNameFlags,
  tlsFlags,
} from './flag-groups.ts';
import { flag, grouped, retired } from './flags.ts';

/** The flags of `podpass server`. Those that kiam's server has keep its names and types; docs say where a default differs. */
export const serverFlags = {
  ...grouped('Agents', {
    bind: flag.text({
      name: 'bind',
      placeholder: 'HOST:PORT',
      default: 'localhost:9610',
      help: 'Address that agents connect to.',
    }),
    agentScope: flag.choice({
      name: 'agent-scope',
      choices: ['auto', 'enforce', 'off'],
      default: 'auto',
      help:
        'auto gives an agent that shows its node (by token, or by address) the pods of that node, and any pods to one that does not, with a warning; ' +
        'enforce refuses that one; off gives any agent any pods, as kiam does.',
    }),
    agentServiceAccount: flag.list({
      name: 'agent-service-account',
      placeholder: 'NAMESPACE/NAME',
      default: [],
      help: 'Service account that agents run as: tokens of others are refused. Several may be given. Any unless given.',
    }),
  }),
  ...tlsFlags,
  ...grouped('Cluster', {
    kubeconfig: flag.text({
      name: 'kubeconfig',
      placeholder: 'FILE',
      help: 'How to reach the Kubernetes API. The service account of the pod unless given.',
    }),
    disableStrictNamespaceRegexp: flag.boolean({
      name: 'disable-strict-namespace-regexp',
      help: "Let a namespace's expression match any part of a role ARN instead of the whole. Not advised.",
    }),
  }),
  ...grouped('Roles and sessions', {
    roleBaseArn: flag.text({
      name: 'role-base-arn',
      placeholder: 'ARN',
      help: 'What role names are put behind: arn:aws:iam::123456789012:role/.',
    }),
    roleBaseArnAutodetect: flag.boolean({
      name: 'role-base-arn-autodetect',
      help: 'Take the role base ARN from the instance profile, as the EC2 metadata service has it. Wins over --role-base-arn.',
    }),
    assumeRoleArn: flag.text({
      name: 'assume-role-arn',
      placeholder: 'ROLE',
      help: "Role (name or ARN) that the server assumes first, and the pods' roles trust.",
    }),
    ...allowListFlags,
    session: flag.text({
      name: 'session',
      placeholder: 'NAME',
      default: 'kiam',
      help: 'Session name of pods that name none. It is sent as kiam-NAME.',
    }),
    ...sessionNameFlags,
    sessionDuration: flag.duration({
      name: 'session-duration',
      default: 3_600_000,
      min: 900_000,
      help: 'How long sessions last. STS limits it to 1h where the server itself uses a role.',
    }),
    sessionRefresh: flag.duration({
      name: 'session-refresh',
      default: 300_000,
      help: 'Credentials are fetched again when this is left of them, or sooner. Half of a session is soon enough.',
    }),
  }),
  ...grouped('AWS', {
    region: flag.text({
      name: 'region',
      placeholder: 'REGION',
      help: 'Region whose STS endpoint is called. The global endpoint unless given here or in AWS_REGION.',
    }),
    stsEndpoint: flag.text({
      name: 'sts-endpoint',
      placeholder: 'URL',
      help: 'Call STS here, such as a VPC endpoint without private DNS.',
    }),
    stsRate: flag.integer({
      name: 'sts-rate',
      default: 50,
      min: 1,
      max: 600,
      help: 'Calls of STS per second and account that this server allows itself. AWS allows 600 to everybody in the account.',
    }),
    metadataEndpoint: flag.text({
      name: 'metadata-endpoint',
      placeholder: 'URL',
      default: 'http://169.254.169.254',
      help: 'The EC2 metadata service for --role-base-arn-autodetect.',
    }),
  }),
  ...keepaliveFlags,
  ...grouped('Connections', {
    grpcMaxConnectionIdleDuration: flag.duration({
      name: 'grpc-max-connection-idle-duration',
      default: 900_000,
      help: 'Connections without a call for this long are closed.',
    }),
    grpcMaxConnectionAgeDuration: flag.duration({
      name: 'grpc-max-connection-age-duration',
      default: 900_000,
      help: 'Connections of this age are closed, so that agents look for new servers.',
    }),
    grpcMaxConnectionAgeGraceDuration: flag.duration({
      name: 'grpc-max-connection-age-grace-duration',
      default: 900_000,
      help: 'How long calls may go on after that.',
    }),
  }),
  ...logFlags,
  ...processFlags,
  ...retired('changes of pods are pushed, and none is lost that would have to be looked for', {
    sync: flag.duration({
      name: 'sync',
      default: 60_000,
      help: 'How often known pods are gone through again.',
    }),
  }),
  ...retired('credentials are fetched ahead in a queue that drops nothing; --sts-rate bounds it', {
    fetchers: flag.integer({
      name: 'fetchers',
      default: 8,
      min: 0,
      max: 999_999_999,
      help: 'How many workers fetch ahead.',
    }),
    prefetchBufferSize: flag.integer({
      name: 'prefetch-buffer-size',
      default: 1_000,
      min: 0,
      max: 999_999_999,
      help: 'How many pods may wait for them.',
    }),
  }),
};
