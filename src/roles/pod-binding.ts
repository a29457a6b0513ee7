import type { AnnotationKeys } from './annotation-keys.ts';
import { longestRoleArn } from './role-arn.ts';

/** What a pod's annotations say, and the default where they name no role. The role's text is not resolved yet. */
export type PodBinding =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'bound';
      /** As written: not empty, at most `longestRoleArn` characters, otherwise anything. */
      readonly roleText: string;
      /** The pod names no role, and gets the default one. */
      readonly isDefault?: true;
      /** As written: not empty, otherwise anything, of any length. */
      readonly sessionNameText?: string;
      /** 2 to 1224 of `[\w+=,.@:/-]`. A secret: never written anywhere. */
      readonly externalId?: string;
    }
  | { readonly kind: 'invalid'; readonly annotation: string; readonly problem: string };

/** ExternalId in STS's API (`AssumeRole`). */
const externalIdPattern = /^[\w+=,.@:/-]{2,1224}$/;

/**
 * Reads a pod's annotations, which are hostile: up to 256 kB of anything. An empty value is an absent one, as in
 * kiam. (To kube2iam it was a role without a name, for which it answered an empty list.) Without a role the other
 * annotations mean nothing and are not looked at; with the default role they count, as in kube2iam.
 *
 * No problem text contains the external id.
 */
export function readPodBinding(
  annotations: Readonly<Record<string, string>>,
  keys: AnnotationKeys,
  defaultRole?: string,
): PodBinding {
  const named = annotation(annotations, keys.role);
  const roleText = named ?? defaultRole;
  if (roleText === undefined) return { kind: 'none' };
  if (roleText.length > longestRoleArn) {
    const problem = `it has ${roleText.length} characters, and no role ARN has more than ${longestRoleArn}`;
    return { kind: 'invalid', annotation: keys.role, problem };
  }
  const sessionNameText = annotation(annotations, keys.sessionName);
  const externalId = annotation(annotations, keys.externalId);
  if (externalId !== undefined && !externalIdPattern.test(externalId)) {
    return { kind: 'invalid', annotation: keys.externalId, problem: externalIdProblem(externalId) };
  }
  return {
    kind: 'bound',
    roleText,
    ...(named === undefined && { isDefault: true }),
    ...(sessionNameText !== undefined && { sessionNameText }),
    ...(externalId !== undefined && { externalId }),
  };
}

/** Says what is wrong without the value: a slip of the hand in a secret leaves most of it readable. */
function externalIdProblem(externalId: string): string {
  if (externalId.length < 2) return 'an external id has at least 2 characters';
  if (externalId.length > 1_224) return 'an external id has at most 1224 characters';
  if (/\s/.test(externalId)) return 'it contains white space, which STS does not allow in an external id';
  return 'it has characters that STS does not allow in an external id (letters, digits and _+=,.@:/- only)';
}

/** Own properties only: the keys are configurable, and `constructor` is a string like any other. */
function annotation(annotations: Readonly<Record<string, string>>, key: string): string | undefined {
  return (Object.hasOwn(annotations, key) && annotations[key]) || undefined;
}
