/**
 * ARNs as IAM and STS know them. Written apart from `roles`, on purpose: the sandbox stands for AWS, and a mistake
 * that both sides shared would pass unseen.
 */

/** The parts of a role ARN: `arn:aws:iam::123456789012:role/team/reader`. */
export interface RoleArn {
  readonly arn: string;
  readonly partition: string;
  readonly account: string;
  /** Begins and ends with a slash: `/` or `/team/`. */
  readonly path: string;
  readonly name: string;
}

const roleArnPattern = /^arn:(aws[a-z-]*):iam::(\d{12}):role(\/(?:[\x21-\x7e]{1,510}\/)?)([\w+=,.@-]{1,64})$/;

/** Reads a role ARN as IAM writes them, or gives `undefined`. */
export function parseRoleArn(arn: string): RoleArn | undefined {
  const [, partition, account, path, name] = roleArnPattern.exec(arn) ?? [];
  if (!partition || !account || !path || !name) return undefined;
  return { arn, partition, account, path, name };
}

/** The ARN of a session, as GetCallerIdentity shows it. The role's path is not part of it. */
export function assumedRoleArn(role: RoleArn, sessionName: string): string {
  return `arn:${role.partition}:sts::${role.account}:assumed-role/${role.name}/${sessionName}`;
}

/** The account that an ARN names, or an empty string where it names none. */
export function accountOfArn(arn: string): string {
  return arn.split(':', 5)[4] ?? '';
}
