/** What a namespace's annotation says of roles, compiled. */
export interface RoleRule {
  /** How large it is, in instructions or characters, for a cache that has to stay small. */
  readonly cost: number;
  readonly permits: (roleArn: string) => boolean;
}
