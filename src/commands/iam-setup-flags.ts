import { InvalidArgumentError } from 'commander';
import { type Flag, flag, grouped } from './flags.ts';

/** The flag several times. Not with commas: the name of a role may have one. */
function roles(options: Pick<Flag<unknown>, 'name' | 'help'>): Flag<readonly string[]> {
  return {
    ...options,
    placeholder: 'ROLE',
    repeated: true,
    default: [],
    shownDefault: '',
    parse(text) {
      if (text === '') throw new InvalidArgumentError('it must be the name or the ARN of a role');
      return [text];
    },
  };
}

/** The flags of `podpass iam setup`. */
export const iamSetupFlags = {
  format: flag.choice({
    name: 'format',
    choices: ['terraform', 'json'],
    default: 'terraform',
    help: 'What to print: terraform or json.',
  }),
  ...grouped('Roles', {
    account: flag.text({
      name: 'account',
      placeholder: 'ACCOUNT',
      help: 'The account, 12 digits, of roles that are given by name. A role given by ARN needs none.',
    }),
    partition: flag.text({
      name: 'partition',
      placeholder: 'PARTITION',
      default: 'aws',
      help: 'The partition of roles that are given by name: aws, aws-cn, aws-us-gov.',
    }),
    serverRole: flag.text({
      name: 'server-role',
      placeholder: 'ROLE',
      default: 'podpass-server',
      help: 'The role that servers assume the roles of pods from: name, path and name, or ARN.',
    }),
    appRole: roles({
      name: 'app-role',
      help: 'A role that pods may have. Give the flag once for each.',
    }),
    appRolePath: flag.text({
      name: 'app-role-path',
      placeholder: 'PATH',
      help: 'Let the server role assume every role below this path, such as /pods/, and not only those named.',
    }),
    requireExternalId: flag.boolean({
      name: 'require-external-id',
      help: 'Let application roles demand an external id. Its place is marked; the value is a secret and not asked for.',
    }),
  }),
  ...grouped('Where the servers get their first credentials', {
    nodeRole: roles({
      name: 'node-role',
      help: 'The role of nodes that servers run on. Give the flag once for each.',
    }),
    oidcProvider: flag.text({
      name: 'oidc-provider',
      placeholder: 'URL',
      help: "Instead of nodes: the cluster's issuer, registered in the account of the server role (IRSA).",
    }),
    serviceAccount: flag.text({
      name: 'service-account',
      placeholder: 'NAMESPACE/NAME',
      default: 'kube-system/podpass-server',
      help: "The servers' service account, for --oidc-provider.",
    }),
  }),
};
