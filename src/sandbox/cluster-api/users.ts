/** Who makes a request, as `authentication.k8s.io/v1 UserInfo` has it. */
export interface User {
  readonly username: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** Whoever has the administrator's token. */
export const administrator: User = {
  username: 'kubernetes-admin',
  uid: 'kubernetes-admin',
  groups: ['system:masters', 'system:authenticated'],
  extra: {},
};

/** The name of a service account as a user. */
export function serviceAccountUsername(namespace: string, name: string): string {
  return `system:serviceaccount:${namespace}:${name}`;
}
