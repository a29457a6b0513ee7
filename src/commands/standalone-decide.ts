import { PodpassError } from '../base/errors.ts';
import { chooseAnnotationKeys } from '../roles/annotation-keys.ts';
import type { DecideOptions, DefaultRole } from '../roles/decide.ts';
import { resolveRoleArn } from '../roles/resolve-role-arn.ts';
import type { RoleDefaults } from './find-role-defaults.ts';
import type { StandaloneFlags } from './standalone-settings.ts';

/**
 * How decisions are made, from kube2iam's flags and what was discovered.
 *
 * @throws PodpassError ERR_USAGE, ERR_ROLE_ARN
 */
export function readDecideOptions(flags: StandaloneFlags, defaults: RoleDefaults): DecideOptions {
  const keys = chooseAnnotationKeys({
    role: flags.iamRoleKey,
    externalId: flags.iamExternalId,
    allowedRoles: flags.namespaceKey,
  });
  if (keys.kind === 'invalid')
    throw new PodpassError(
      'ERR_USAGE',
      `--iam-role-key, --iam-external-id and --namespace-key cannot be used as they are: ${keys.problem}`,
    );
  const { baseArn } = defaults;
  const defaultRole = defaultRoleOf(flags, defaults);
  return {
    ...(baseArn === undefined ? {} : { baseArn }),
    ...(defaultRole === undefined ? {} : { defaultRole }),
    defaultSessionName: 'kiam',
    sessionNameFormat: flags.sessionNameFormat,
    keys: keys.value,
    namespaceRestrictions: flags.namespaceRestrictions,
    strictNamespaceRegexp: true,
    allowedRolesFormat: flags.namespaceRestrictionFormat,
    advise: 'allowedRoles',
  };
}

function defaultRoleOf(
  flags: StandaloneFlags,
  { baseArn, defaultRole: name }: RoleDefaults,
): DefaultRole | undefined {
  if (name === undefined) return undefined;
  const resolved = resolveRoleArn(name, baseArn);
  if (resolved.kind === 'invalid')
    throw new PodpassError('ERR_ROLE_ARN', `--default-role: ${resolved.problem}`);
  return {
    role: { name, arn: resolved.value },
    bypassesRestrictions: flags.defaultRoleBypassesRestrictions,
  };
}
