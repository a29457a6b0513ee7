import { PodpassError } from '../base/errors.ts';
import { quoted } from '../roles/quoted.ts';
import { resolveRoleArn } from '../roles/resolve-role-arn.ts';
import { formatRoleArn, parseRoleArn, pathProblem, type RoleArn } from '../roles/role-arn.ts';
import { iamDocuments } from './iam-documents.ts';
import type { IamPlan, ServerIdentity } from './iam-plan.ts';
import type { PolicyDocument } from './policy-document.ts';

/** What a person asks for, as written. Roles are names or ARNs. */
export interface IamRequest {
  readonly account?: string;
  readonly partition: string;
  readonly serverRole: string;
  readonly nodeRoles: readonly string[];
  readonly oidcProvider?: string;
  /** NAMESPACE/NAME */
  readonly serviceAccount: string;
  readonly appRoles: readonly string[];
  readonly appRolePath?: string;
  readonly externalId: boolean;
}

/** IAM's quotas, in characters that are not white space. More of a trust policy has to be asked for. */
const longestTrustPolicy = 2_048;
const longestPolicy = 6_144;

/**
 * Checks what is asked for, and makes a plan of it.
 *
 * @throws PodpassError ERR_USAGE, ERR_ROLE_ARN
 */
export function planIam(request: IamRequest): IamPlan {
  const read = (flag: string, text: string) => readRole(flag, text, request);
  const server = read('--server-role', request.serverRole);
  const applications = request.appRoles.map((text) => read('--app-role', text));
  const identity = readIdentity(request, read);
  if (applications.length === 0 && request.appRolePath === undefined)
    throw usage('missing: --app-role or --app-role-path; say which roles the servers may hand out');
  checkDistinct([server, ...(identity.kind === 'nodes' ? identity.roles : []), ...applications]);
  const plan: IamPlan = {
    identity,
    server,
    applications,
    externalId: request.externalId,
    ...(request.appRolePath !== undefined && { applicationPath: readPath(request.appRolePath, server) }),
  };
  checkLengths(plan);
  return plan;
}

function readRole(flag: string, text: string, { account, partition }: IamRequest): RoleArn {
  if (account === undefined && !text.startsWith('arn:')) {
    throw usage(`${flag} ${quoted(text)} is a name: give --account as well, or write the full ARN`);
  }
  const resolved = resolveRoleArn(text, `arn:${partition}:iam::${account}:role/`);
  const parsed = resolved.kind === 'ok' ? parseRoleArn(resolved.value) : resolved;
  if (parsed.kind === 'invalid') throw new PodpassError('ERR_ROLE_ARN', `${flag}: ${parsed.problem}`);
  checkLiteral(flag, parsed.value.path);
  return parsed.value;
}

/** IAM allows these characters in a path, and a policy would read them as wildcards or variables. */
function checkLiteral(flag: string, path: string): void {
  const [character] = /[*?$]/.exec(path) ?? [];
  if (character === undefined) return;
  throw new PodpassError(
    'ERR_ROLE_ARN',
    `${flag}: the path ${quoted(path)} has ${quoted(character)}, which a policy would read as more than this path. ` +
      'Write its policies by hand, or rename the path.',
  );
}

function readIdentity(request: IamRequest, read: (flag: string, text: string) => RoleArn): ServerIdentity {
  const { nodeRoles, oidcProvider, serviceAccount } = request;
  if (nodeRoles.length > 0 && oidcProvider !== undefined)
    throw usage('--node-role and --oidc-provider are two ways to the server role: give one of them');
  if (nodeRoles.length > 0)
    return { kind: 'nodes', roles: nodeRoles.map((text) => read('--node-role', text)) };
  if (oidcProvider === undefined)
    throw usage('missing: --node-role or --oidc-provider; say whose credentials the servers start with');
  const provider = oidcProvider.replace(/^https:\/\//, '').replace(/\/$/, '');
  if (provider.length > 255 || !/^[a-z0-9-]+(?:\.[a-z0-9-]+)+(?:\/[\w.~-]+)*$/i.test(provider)) {
    throw usage(
      `--oidc-provider ${quoted(oidcProvider)} is not the URL of an issuer, which looks like ` +
        'https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE',
    );
  }
  const [, namespace, name] = /^([a-z0-9-]{1,63})\/([a-z0-9.-]{1,253})$/.exec(serviceAccount) ?? [];
  if (namespace === undefined || name === undefined)
    throw usage(`--service-account ${quoted(serviceAccount)} has to be written as NAMESPACE/NAME`);
  return { kind: 'web-identity', provider, subject: `system:serviceaccount:${namespace}:${name}` };
}

function readPath(text: string, server: RoleArn): string {
  const flag = '--app-role-path';
  if (!/^\/.+\/$/.test(text))
    throw usage(`${flag} ${quoted(text)} has to begin and end with "/" and have a name between: /pods/`);
  const problem = pathProblem(text);
  if (problem !== undefined) throw usage(`${flag}: ${problem}`);
  checkLiteral(flag, text);
  if (server.path.startsWith(text))
    throw usage(
      `${flag} ${quoted(text)} has the server role in it, and pods could ask for that: put it elsewhere`,
    );
  return text;
}

/** A role that is two things would hand the rights of one to the other. */
function checkDistinct(roles: readonly RoleArn[]): void {
  const seen = new Set<string>();
  const [{ partition } = { partition: '' }] = roles;
  for (const role of roles) {
    const arn = formatRoleArn(role);
    if (seen.has(arn))
      throw usage(`the role ${arn} is given twice: node, server and pods each need their own`);
    seen.add(arn);
    if (role.partition !== partition) {
      throw usage(
        `the role ${arn} is not in the partition ${partition} of the server role; no role of one partition can ` +
          'assume one of another: run podpass servers in each',
      );
    }
  }
}

function checkLengths(plan: IamPlan): void {
  const { server } = iamDocuments(plan);
  const policy = lengthOf(server.policy);
  if (policy > longestPolicy) {
    throw usage(
      `the server role's policy would have ${policy} characters, and IAM allows ${longestPolicy}: put the ` +
        'application roles under a path and give that as --app-role-path',
    );
  }
  const trust = lengthOf(server.trustPolicy);
  if (trust > longestTrustPolicy) {
    throw usage(
      `the server role's trust policy would have ${trust} characters, and IAM allows ${longestTrustPolicy}: ` +
        'give fewer --node-role, by running the servers on nodes of their own',
    );
  }
}

function lengthOf(document: PolicyDocument): number {
  return JSON.stringify(document).length;
}

function usage(message: string): PodpassError {
  return new PodpassError('ERR_USAGE', message);
}
