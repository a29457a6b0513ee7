import { invalid, ok, type Parsed } from './parsed.ts';
import { quoted } from './quoted.ts';

/** The annotations that bind pods to roles. The keys are configurable: clusters have renamed them. */
export interface AnnotationKeys {
  /** On a pod: a role name, `path/name` or a full ARN. */
  readonly role: string;
  /** On a pod: the session's name. */
  readonly sessionName: string;
  /** On a pod: the ExternalId that the role's trust policy asks for. Its value is a secret. */
  readonly externalId: string;
  /** On a namespace, kiam's: a regular expression over the ARNs of roles that its pods may have. */
  readonly permitted: string;
  /** On a namespace, kube2iam's: a JSON array of globs or regular expressions, of the same meaning. */
  readonly allowedRoles: string;
}

/** kiam's and kube2iam's. */
export const defaultAnnotationKeys: AnnotationKeys = {
  role: 'iam.amazonaws.com/role',
  sessionName: 'iam.amazonaws.com/session-name',
  externalId: 'iam.amazonaws.com/external-id',
  permitted: 'iam.amazonaws.com/permitted',
  allowedRoles: 'iam.amazonaws.com/allowed-roles',
};

/** Kubernetes' form of a key: a DNS name and a slash, or neither, and a name of up to 63 characters. */
const keyPattern = /^(?:[a-z0-9][a-z0-9.-]{0,252}\/)?[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?$/;

/**
 * The default keys but for those that are chosen. Two that are the same would give one text two meanings, and a key
 * that no annotation can have would silently mean that nothing is annotated: both are refused.
 */
export function chooseAnnotationKeys(chosen: Partial<AnnotationKeys>): Parsed<AnnotationKeys> {
  const keys = { ...defaultAnnotationKeys, ...chosen };
  const seen = new Set<string>();
  for (const key of Object.values(keys)) {
    if (!keyPattern.test(key)) {
      return invalid(`${quoted(key)} is no annotation key: it has to look like example.com/name`);
    }
    if (seen.has(key)) return invalid(`the annotation key ${quoted(key)} cannot have two meanings`);
    seen.add(key);
  }
  return ok(keys);
}

/** The annotations of a pod that the cluster's projection has to keep; it drops all others. */
export function keptPodAnnotations(keys: AnnotationKeys): ReadonlySet<string> {
  return new Set([keys.role, keys.sessionName, keys.externalId]);
}

/** The same for a namespace. */
export function keptNamespaceAnnotations(keys: AnnotationKeys): ReadonlySet<string> {
  return new Set([keys.permitted, keys.allowedRoles]);
}
