import { PodpassError } from '../base/errors.ts';
import { chooseAnnotationKeys } from '../roles/annotation-keys.ts';
import type { DecideOptions } from '../roles/decide.ts';
import type { FlagValues } from './flags.ts';
import type { serverFlags } from './server-flags.ts';

type DecidingFlags = Pick<
  FlagValues<typeof serverFlags>,
  | 'disableStrictNamespaceRegexp'
  | 'namespaceKey'
  | 'namespaceRestrictionFormat'
  | 'session'
  | 'sessionNameFormat'
>;

/**
 * How the server makes decisions: kiam's way, and kube2iam's where flags ask for it.
 *
 * @throws PodpassError ERR_USAGE
 */
export function readServerDecideOptions(flags: DecidingFlags, baseArn: string): DecideOptions {
  const keys = chooseAnnotationKeys({ allowedRoles: flags.namespaceKey });
  if (keys.kind === 'invalid')
    throw new PodpassError('ERR_USAGE', `--namespace-key cannot be used as it is: ${keys.problem}`);
  return {
    baseArn,
    defaultSessionName: flags.session,
    sessionNameFormat: flags.sessionNameFormat,
    keys: keys.value,
    strictNamespaceRegexp: !flags.disableStrictNamespaceRegexp,
    allowedRolesFormat: flags.namespaceRestrictionFormat,
  };
}
