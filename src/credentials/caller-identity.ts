/** Whose credentials podpass calls STS with. */
export interface CallerIdentity {
  readonly account: string;
  /** `arn:aws:sts::123456789012:assumed-role/podpass/i-0abc` or `arn:aws:iam::123456789012:user/podpass`. */
  readonly arn: string;
  /** `aws`, `aws-cn`, `aws-us-gov` or an isolated one. */
  readonly partition: string;
  /** They come from a role, so AWS caps the sessions they assume at an hour (`chainingLimitSeconds`). */
  readonly chained: boolean;
}

const callerPattern = /^arn:(aws[a-z-]*):(?:iam|sts)::(\d{12}):(.{1,1024})$/;

/** Reads the Arn that GetCallerIdentity answers; `undefined` if it is not one. */
export function parseCallerArn(arn: string): CallerIdentity | undefined {
  const [, partition, account, resource] = callerPattern.exec(arn) ?? [];
  if (!partition || !account || !resource) return undefined;
  return { account, arn, partition, chained: resource.startsWith('assumed-role/') };
}

/** The role base ARN of the caller's own account, with its slash: `arn:aws:iam::123456789012:role/`. */
export function roleBaseArnOf({ partition, account }: Pick<CallerIdentity, 'partition' | 'account'>): string {
  return `arn:${partition}:iam::${account}:role/`;
}
