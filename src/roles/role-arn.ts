import { invalid, ok, type Parsed } from './parsed.ts';
import { quoted } from './quoted.ts';

/** A role's ARN in its parts: `arn:<partition>:iam::<account>:role<path><name>`. */
export interface RoleArn {
  /** `aws`, `aws-cn`, `aws-us-gov`, `aws-iso-b` ... */
  readonly partition: string;
  /** 12 digits. */
  readonly accountId: string;
  /** `/`, or `/team/` with a slash at both ends. At most 512 characters. */
  readonly path: string;
  /** 1 to 64 of `[\w+=,.@-]`. */
  readonly name: string;
}

/** No role ARN is longer than this: 32 for the partition, 512 for the path, 64 for the name and the rest. */
export const longestRoleArn = 640;

const partitionPattern = /^aws[a-z0-9-]{0,29}$/;
const accountPattern = /^\d{12}$/;
const namePattern = /^[\w+=,.@-]+$/;
/** IAM allows every printable ASCII character in a path (`RolePath` in IAM's API: `\u0021` to `\u007E`). */
const pathPattern = /^\/(?:[\x21-\x7e]*\/)?$/;

/**
 * Reads a role ARN. Limits and characters are those of IAM's API (`CreateRole`).
 *
 * Never throws, whatever the text: in kiam an ARN with too few colons stopped the whole server.
 */
export function parseRoleArn(text: string): Parsed<RoleArn> {
  const parts = splitRoleArn(text);
  if (parts.kind === 'invalid') return parts;
  const { partition, accountId, resource } = parts.value;
  const split = resource.lastIndexOf('/') + 1;
  const path = resource.slice(0, split);
  const name = resource.slice(split);
  if (name === '') return invalid(`${quoted(text)} ends in "/": the role name is missing`);
  if (name.length > 64) return invalid(`the role name ${quoted(name)} is longer than 64 characters`);
  if (!namePattern.test(name)) {
    return invalid(
      `the role name ${quoted(name)} has characters that IAM does not allow (letters, digits and _+=,.@- only)`,
    );
  }
  const problem = pathProblem(path);
  return problem === undefined ? ok({ partition, accountId, path, name }) : invalid(problem);
}

export function formatRoleArn({ partition, accountId, path, name }: RoleArn): string {
  return `arn:${partition}:iam::${accountId}:role${path}${name}`;
}

/** What stands before the name, checked as far as it is common to role ARNs and base ARNs. */
export interface RoleArnParts {
  readonly partition: string;
  readonly accountId: string;
  /** All after `role`; starts with a slash. */
  readonly resource: string;
}

/** Takes `arn:<partition>:iam::<account>:role/<anything>` apart. */
export function splitRoleArn(text: string): Parsed<RoleArnParts> {
  if (/\s/.test(text)) return invalid(`${quoted(text)} contains white space, which no role ARN has`);
  if (text.length > longestRoleArn) {
    return invalid(`${quoted(text)} is longer than any role ARN (${longestRoleArn} characters)`);
  }
  const fields = text.split(':');
  const [arn, partition = '', service, region, accountId = ''] = fields;
  if (arn !== 'arn' || fields.length < 6) return invalid(`${quoted(text)} is not a role ARN: ${shape}`);
  if (!partitionPattern.test(partition)) {
    return invalid(`${quoted(text)} is not a role ARN: ${quoted(partition)} is not an AWS partition`);
  }
  if (service !== 'iam' || region !== '')
    return invalid(`${quoted(text)} is not the ARN of an IAM role: ${shape}`);
  if (!accountPattern.test(accountId)) {
    return invalid(`${quoted(text)} is not a role ARN: an account has 12 digits, not ${quoted(accountId)}`);
  }
  const resource = fields.slice(5).join(':');
  if (!resource.startsWith('role/')) return invalid(`${quoted(text)} does not name a role: ${shape}`);
  return ok({ partition, accountId, resource: resource.slice('role'.length) });
}

/** What is wrong with a path, which includes the slashes at both ends. */
export function pathProblem(path: string): string | undefined {
  if (path.length > 512) return `the path ${quoted(path)} is longer than 512 characters`;
  if (!pathPattern.test(path)) return `the path ${quoted(path)} has characters that IAM does not allow`;
  return undefined;
}

const shape = 'it has to look like arn:aws:iam::123456789012:role/name';
