import { formatRoleArn, type RoleArn } from '../roles/role-arn.ts';
import { externalIdPlaceholder } from './application-trust.ts';
import { hclText, hclValue } from './hcl.ts';
import type { IamDocuments } from './iam-documents.ts';
import type { PolicyDocument } from './policy-document.ts';

/**
 * All documents as Terraform. Node roles exist already and are named only; server and application roles are made.
 * What belongs to another account than the server role's names a provider of its own.
 */
export function renderTerraform(documents: IamDocuments, externalId: boolean): string {
  const { nodes, server, applications } = documents;
  const home = server.role.accountId;
  const expressions = new Map([
    [externalIdPlaceholder, 'var.external_id'],
    // A reference and not the ARN: IAM refuses a trust policy that names a role which does not exist yet.
    [formatRoleArn(server.role), 'aws_iam_role.server.arn'],
  ]);
  const encoded = (document: PolicyDocument) => `jsonencode(${hclValue(document, expressions, '  ')})`;
  const blocks = [heading(documents), ...(externalId ? [externalIdVariable] : [])];

  for (const [index, { role, policy }] of nodes.entries()) {
    const label = `node_${index + 1}`;
    blocks.push(
      ...attached({
        label,
        role,
        home,
        policy: encoded(policy),
        name: `${server.role.name}-assume`,
        of: hclText(role.name),
      }),
    );
  }
  blocks.push(roleBlock('server', server.role, home, encoded(server.trustPolicy)));
  blocks.push(
    ...attached({
      label: 'server',
      role: server.role,
      home,
      policy: encoded(server.policy),
      name: `${server.role.name}-pods`,
      of: 'aws_iam_role.server.name',
    }),
  );
  for (const [index, { role, trustPolicy }] of applications.entries())
    blocks.push(roleBlock(`application_${index + 1}`, role, home, encoded(trustPolicy)));
  return blocks.join('\n');
}

const externalIdVariable = `variable "external_id" {
  description = "What podpass sends as external id: the pods' annotation iam.amazonaws.com/external-id."
  type        = string
  sensitive   = true
}
`;

function heading({ nodes, server, applications }: IamDocuments): string {
  const roles = [...nodes, ...applications].map(({ role }) => role);
  const others = [...new Set(roles.map(({ accountId }) => accountId))].filter(
    (account) => account !== server.role.accountId,
  );
  return [
    '# Written by "podpass iam setup".',
    '# A role that exists already has to be imported first ("terraform import"), or it cannot be created.',
    ...others.map(
      (account) => `# Needs a provider "aws" with alias = "account_${account}" for that account.`,
    ),
    '',
  ].join('\n');
}

function roleBlock(label: string, role: RoleArn, home: string, trustPolicy: string): string {
  return `resource "aws_iam_role" "${label}" {
${providerLine(role, home)}  name = ${hclText(role.name)}
  path = ${hclText(role.path)}
  assume_role_policy = ${trustPolicy}
}
`;
}

interface Attached {
  readonly label: string;
  readonly role: RoleArn;
  /** The account of the provider that has no alias. */
  readonly home: string;
  /** An expression. */
  readonly policy: string;
  readonly name: string;
  /** An expression: the name of the role that gets the policy. */
  readonly of: string;
}

function attached({ label, role, home, policy, name, of }: Attached): string[] {
  const provider = providerLine(role, home);
  return [
    `resource "aws_iam_policy" "${label}" {
${provider}  name_prefix = ${hclText(`${name}-`)}
  policy = ${policy}
}
`,
    `resource "aws_iam_role_policy_attachment" "${label}" {
${provider}  role       = ${of}
  policy_arn = aws_iam_policy.${label}.arn
}
`,
  ];
}

/** A line between two blank ones is in no column with its neighbours. */
function providerLine({ accountId }: RoleArn, home: string): string {
  return accountId === home ? '' : `  provider = aws.account_${accountId}\n\n`;
}
