/** The annotations that bind pods to roles. The keys are configurable: clusters have renamed them. */
export interface AnnotationKeys {
  /** On a pod: a role name, `path/name` or a full ARN. */
  readonly role: string;
  /** On a pod: the session's name. */
  readonly sessionName: string;
  /** On a pod: the ExternalId that the role's trust policy asks for. Its value is a secret. */
  readonly externalId: string;
  /** On a namespace: a regular expression over the ARNs of roles that its pods may have. */
  readonly permitted: string;
}

/** kiam's, and for the first and third kube2iam's. */
export const defaultAnnotationKeys: AnnotationKeys = {
  role: 'iam.amazonaws.com/role',
  sessionName: 'iam.amazonaws.com/session-name',
  externalId: 'iam.amazonaws.com/external-id',
  permitted: 'iam.amazonaws.com/permitted',
};

/** The annotations of a pod that the cluster's projection has to keep; it drops all others. */
export function keptPodAnnotations(keys: AnnotationKeys): ReadonlySet<string> {
  return new Set([keys.role, keys.sessionName, keys.externalId]);
}

/** The same for a namespace. */
export function keptNamespaceAnnotations(keys: AnnotationKeys): ReadonlySet<string> {
  return new Set([keys.permitted]);
}
