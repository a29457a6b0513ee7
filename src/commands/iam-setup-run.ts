import { iamDocuments } from '../iam/iam-documents.ts';
import { planIam } from '../iam/plan-iam.ts';
import { renderJson } from '../iam/render-json.ts';
import { renderTerraform } from '../iam/render-terraform.ts';
import type { FlagValues } from './flags.ts';
import type { iamSetupFlags } from './iam-setup-flags.ts';

/**
 * What `podpass iam setup` prints.
 *
 * @throws PodpassError ERR_USAGE, ERR_ROLE_ARN
 */
export function renderIamSetup(flags: FlagValues<typeof iamSetupFlags>): string {
  const { format, account, oidcProvider, appRolePath } = flags;
  const plan = planIam({
    partition: flags.partition,
    serverRole: flags.serverRole,
    nodeRoles: flags.nodeRole,
    serviceAccount: flags.serviceAccount,
    appRoles: flags.appRole,
    externalId: flags.requireExternalId,
    ...(account !== undefined && { account }),
    ...(oidcProvider !== undefined && { oidcProvider }),
    ...(appRolePath !== undefined && { appRolePath }),
  });
  const documents = iamDocuments(plan);
  return format === 'json' ? renderJson(documents) : renderTerraform(documents, plan.externalId);
}
