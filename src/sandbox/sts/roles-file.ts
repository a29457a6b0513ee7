import { readFile } from 'node:fs/promises';
import { parseDocument } from 'yaml';
import { messageOf, PodpassError } from '../../base/errors.ts';
import { parseRoleArn, type RoleArn } from './arn.ts';
import { requireRecord, requireTexts } from './condition.ts';
import { type IdentityPolicy, parseIdentityPolicy } from './identity-policy.ts';
import type { SandboxRole } from './sandbox-role.ts';
import { parseTrustPolicy } from './trust-policy.ts';

/** What `roles.yaml` says: the IAM of the sandbox's accounts. */
export interface RolesFile {
  readonly accounts: readonly string[];
  /** By ARN. */
  readonly roles: ReadonlyMap<string, SandboxRole>;
  /** ARN of the role that the cluster's node has as its instance profile: what a pod must never get. */
  readonly nodeRoleArn: string;
  /** ARN of the role of the instance that podpass's server runs on. */
  readonly serverRoleArn: string;
}

/** No hand-written file comes near. */
const maxLength = 1024 * 1024;
const maxRoles = 10_000;

/**
 * Reads `roles.yaml`.
 *
 * @throws PodpassError ERR_SANDBOX naming the file, the role, and what to change.
 */
export async function readRolesFile(path: string): Promise<RolesFile> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    const message = `cannot read the roles of the sandbox: ${messageOf(cause)}. Put a roles.yaml beside the manifests.`;
    throw new PodpassError('ERR_SANDBOX', message, { cause });
  }
  return parseRolesFile(text, path);
}

/**
 * Reads the text of a `roles.yaml`. `path` is for messages.
 *
 * @throws PodpassError ERR_SANDBOX
 */
export function parseRolesFile(text: string, path: string): RolesFile {
  return within(path, () => {
    const file = requireRecord(parseYaml(text), 'the file');
    requireKeys(file, ['accounts', 'instances', 'roles']);
    const accounts = requireTexts(file.accounts, 'accounts');
    for (const account of accounts) {
      if (!/^\d{12}$/.test(account)) {
        throw problem(`accounts has ${JSON.stringify(account)}; an account id is 12 digits, in quotes`);
      }
    }
    const roles = parseRoles(file.roles, accounts);
    const instances = requireRecord(file.instances, 'instances');
    requireKeys(instances, ['node', 'server']);
    return {
      accounts,
      roles,
      nodeRoleArn: requireInstanceRole(instances.node, 'node', roles),
      serverRoleArn: requireInstanceRole(instances.server, 'server', roles),
    };
  });
}

function parseYaml(text: string): unknown {
  if (text.length > maxLength) throw problem(`it is longer than ${maxLength} characters`);
  const document = parseDocument(text, { version: '1.2' });
  const [error] = document.errors;
  if (error) throw problem(`it is not YAML: ${error.message}`);
  try {
    return document.toJS({ maxAliasCount: 1_000 });
  } catch (cause) {
    throw problem(`its aliases cannot be followed: ${messageOf(cause)}`);
  }
}

function parseRoles(value: unknown, accounts: readonly string[]): ReadonlyMap<string, SandboxRole> {
  if (!Array.isArray(value)) throw problem('roles is not a list');
  if (value.length > maxRoles) throw problem(`it has more than ${maxRoles} roles`);
  const roles = new Map<string, SandboxRole>();
  for (const [index, entry] of value.entries()) {
    const role = within(`role ${nameOf(entry) ?? `number ${index + 1}`}`, () => parseRole(entry, accounts));
    if (roles.has(role.arn.arn)) throw problem(`role ${role.arn.arn} is there twice; remove one`);
    roles.set(role.arn.arn, role);
  }
  return roles;
}

function parseRole(value: unknown, accounts: readonly string[]): SandboxRole {
  const entry = requireRecord(value, 'the entry');
  // IAM gives roles a description and tags; nothing here depends on them.
  requireKeys(entry, [
    'arn',
    'name',
    'account',
    'path',
    'maxSessionDuration',
    'trustPolicy',
    'mayAssume',
    'policies',
    'description',
    'tags',
  ]);
  const arn = requireArn(entry);
  if (!accounts.includes(arn.account)) {
    throw problem(`its account ${arn.account} is not among accounts; add it there`);
  }
  const maxSessionDuration = entry.maxSessionDuration ?? 3_600;
  if (
    typeof maxSessionDuration !== 'number' ||
    !Number.isInteger(maxSessionDuration) ||
    maxSessionDuration < 3_600 ||
    maxSessionDuration > 43_200
  ) {
    throw problem('maxSessionDuration must be a number of seconds from 3600 to 43200');
  }
  if (entry.trustPolicy === undefined) {
    throw problem('it has no trustPolicy; without one nobody can assume it');
  }
  return {
    arn,
    maxSessionDuration,
    trustPolicy: within('trustPolicy', () => parseTrustPolicy(entry.trustPolicy)),
    mayAssume: entry.mayAssume === undefined ? [] : requireTexts(entry.mayAssume, 'mayAssume'),
    ...(entry.policies !== undefined && {
      policies: within('policies', () => parsePolicies(entry.policies)),
    }),
  };
}

function parsePolicies(value: unknown): readonly IdentityPolicy[] {
  if (!Array.isArray(value)) throw problem('it is not a list of policy documents');
  return value.map(parseIdentityPolicy);
}

function requireArn(entry: Record<string, unknown>): RoleArn {
  const { arn: given, name, account, path = '/' } = entry;
  if (given !== undefined && (name !== undefined || account !== undefined || entry.path !== undefined)) {
    throw problem('it has an arn and parts of one; write either arn, or name, account and path');
  }
  const text = given ?? (name && account ? `arn:aws:iam::${account}:role${path}${name}` : undefined);
  if (typeof text !== 'string') throw problem('it needs an arn, or a name and an account');
  const arn = parseRoleArn(text);
  if (!arn) {
    throw problem(
      `${JSON.stringify(text)} is not a role ARN; one looks like arn:aws:iam::123456789012:role/reader ` +
        '(a path begins and ends with "/")',
    );
  }
  return arn;
}

function requireInstanceRole(
  value: unknown,
  instance: string,
  roles: ReadonlyMap<string, SandboxRole>,
): string {
  if (typeof value === 'string' && roles.has(value)) return value;
  throw problem(`instances.${instance} must be the ARN of one of the roles, and is ${JSON.stringify(value)}`);
}

function requireKeys(record: Record<string, unknown>, known: readonly string[]): void {
  for (const key of Object.keys(record)) {
    if (!known.includes(key)) {
      throw problem(`it has ${JSON.stringify(key)}, which means nothing here; known are ${known.join(', ')}`);
    }
  }
}

/** How messages name an entry that cannot be read yet. */
function nameOf(entry: unknown): string | undefined {
  if (entry === null || typeof entry !== 'object') return undefined;
  if ('arn' in entry && typeof entry.arn === 'string') return entry.arn;
  return 'name' in entry && typeof entry.name === 'string' ? entry.name : undefined;
}

function problem(message: string): PodpassError {
  return new PodpassError('ERR_SANDBOX', message);
}

/** Says in which part of the file a problem is. */
function within<T>(place: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof PodpassError)) throw error;
    throw new PodpassError('ERR_SANDBOX', `${place}: ${error.message}`, { cause: error.cause });
  }
}
