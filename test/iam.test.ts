// docs/iam.md against what `podpass iam setup` prints, and both against the sandbox's STS.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createFakeClock } from '../src/base/fake-clock.ts';
import { createSeededRandom } from '../src/base/random.ts';
import { runCommandLine } from '../src/commands/command-line.ts';
import { createSts } from '../src/sandbox/sts/create-sts.ts';
import { parseIdentityPolicy } from '../src/sandbox/sts/identity-policy.ts';
import {
  call,
  credentialsOf,
  role,
  type SigningOptions,
  signedCall,
  trust,
} from '../src/sandbox/sts/sts.fixture.ts';
import { evaluateTrust, parseTrustPolicy } from '../src/sandbox/sts/trust-policy.ts';

const page = readFileSync(join(import.meta.dirname, '..', 'docs', 'iam.md'), 'utf8');
const commandLines = Array.from(page.matchAll(/^podpass iam setup ((?:.*\\\n)*.*)$/gm), ([, text = '']) =>
  text.split(/[\s\\]+/),
);
const [chain, webIdentity] = await Promise.all(commandLines.map(printed));
assert.ok(chain && webIdentity && commandLines.length === 2);

interface Printed {
  readonly nodeRoles: readonly { readonly arn: string; readonly policy: unknown }[];
  readonly serverRole: { readonly arn: string; readonly trustPolicy: unknown; readonly policy: unknown };
  readonly applicationRoles: readonly { readonly arn: string; readonly trustPolicy: unknown }[];
}

async function printed(args: readonly string[]): Promise<Printed> {
  let out = '';
  const status = await runCommandLine(['node', 'podpass', 'iam', 'setup', ...args], {
    out: (text) => {
      out += text;
    },
    error: (text) => assert.fail(text),
  });
  assert.equal(status, 0);
  return JSON.parse(out);
}

/** A document of the page by the word behind its fence. */
function documented(name: string): unknown {
  const [, text] = new RegExp(`^\`\`\`json ${name}\n([^\`]*)\`\`\`$`, 'm').exec(page) ?? [];
  assert.ok(text, `docs/iam.md has no document ${name}`);
  return JSON.parse(text);
}

describe('docs/iam.md', () => {
  const documents: readonly (readonly [name: string, printed: unknown])[] = [
    ['node-policy', chain.nodeRoles[0]?.policy],
    ['server-trust', chain.serverRole.trustPolicy],
    ['server-policy', chain.serverRole.policy],
    ['application-trust', chain.applicationRoles[0]?.trustPolicy],
    ['server-trust-web-identity', webIdentity.serverRole.trustPolicy],
  ];
  for (const [name, document] of documents) {
    it(`has the document ${name} as the command prints it`, () => {
      assert.deepEqual(documented(name), document);
    });
  }

  it('has no other document', () => {
    const names = Array.from(page.matchAll(/^```json(.*)$/gm), ([, name = '']) => name.trim());
    assert.deepEqual(
      names,
      documents.map(([name]) => name),
    );
  });
});

const externalId = 'team-a/4711';

/** An STS whose roles are those that are printed, with the external id put in. */
function startPrinted() {
  const filled = <T>(document: T): T =>
    JSON.parse(JSON.stringify(document).replaceAll('<external-id>', externalId));
  const { nodeRoles, serverRole, applicationRoles } = chain as Printed;
  const instance = trust({ Service: 'ec2.amazonaws.com' });
  const [node, other] = [nodeRoles[0], 'arn:aws:iam::123456789012:role/other'];
  const [near, far] = applicationRoles;
  assert.ok(node && near && far);
  const everything = {
    Version: '2012-10-17',
    Statement: { Effect: 'Allow', Action: '*', Resource: '*' },
  };
  const clock = createFakeClock();
  const roles = [
    role(node.arn, instance, { policies: [parseIdentityPolicy(node.policy)] }),
    role(other, instance, { policies: [parseIdentityPolicy(everything)] }),
    role(serverRole.arn, serverRole.trustPolicy, {
      maxSessionDuration: 43_200,
      policies: [parseIdentityPolicy(serverRole.policy)],
    }),
    ...[near, far].map(({ arn, trustPolicy }) =>
      role(arn, filled(trustPolicy), { maxSessionDuration: 43_200 }),
    ),
  ];
  const sts = createSts({ clock, random: createSeededRandom(1), roles });
  const assume = (
    credentials: SigningOptions['credentials'],
    RoleArn: string,
    extra: Readonly<Record<string, string>> = {},
  ) => {
    const parameters = { Action: 'AssumeRole', RoleArn, RoleSessionName: 'podpass-test', ...extra };
    return call(sts, signedCall(parameters, { credentials, at: clock.now() }));
  };
  const instanceOf = (arn: string) => sts.issueFor(arn, { sessionName: 'i-0123456789abcdef0' });
  const server = async () => credentialsOf(await assume(instanceOf(node.arn), serverRole.arn));
  return {
    sts,
    clock,
    assume,
    server,
    nodeCredentials: instanceOf(node.arn),
    otherCredentials: instanceOf(other),
    serverArn: serverRole.arn,
    near: near.arn,
    far: far.arn,
  };
}

describe('roles made from what podpass iam setup prints', () => {
  const right = { ExternalId: externalId };

  it('let the node become the server, and the server the role of a pod, in either account', async () => {
    const { assume, server, near, far } = startPrinted();
    const credentials = await server();
    assert.equal((await assume(credentials, near, right)).status, 200);
    assert.equal((await assume(credentials, far, right)).status, 200);
  });

  it('do not let the node have the role of a pod', async () => {
    const { assume, nodeCredentials, near, far } = startPrinted();
    for (const arn of [near, far]) {
      const { status, elements } = await assume(nodeCredentials, arn, right);
      assert.deepEqual([status, elements.Code], [403, 'AccessDenied']);
    }
  });

  it('let nobody else in, whatever he may do in his account', async () => {
    const { assume, otherCredentials, serverArn, near, far } = startPrinted();
    for (const arn of [serverArn, near, far])
      assert.equal((await assume(otherCredentials, arn, right)).status, 403);
  });

  it('demand the external id', async () => {
    const { assume, server, near } = startPrinted();
    const credentials = await server();
    assert.equal((await assume(credentials, near)).status, 403);
    assert.equal((await assume(credentials, near, { ExternalId: 'team-b/4711' })).status, 403);
  });

  it('let nobody in while the placeholder of the external id stands', async () => {
    const { assume, server, near, sts } = startPrinted();
    const [app] = (chain as Printed).applicationRoles;
    sts.roles.set(near, role(near, app?.trustPolicy));
    const { status, elements } = await assume(await server(), near, { ExternalId: '<external-id>' });
    assert.deepEqual([status, elements.Code], [400, 'ValidationError']);
  });

  it('keep the server from a role of another account that trusts it and that its policy leaves out', async () => {
    const { assume, server, serverArn, sts } = startPrinted();
    const arns = ['arn:aws:iam::210987654321:role/admin', 'arn:aws:iam::210987654321:role/pods/more'];
    for (const arn of arns) sts.roles.set(arn, role(arn, trust({ AWS: serverArn })));
    const credentials = await server();
    const statuses = await Promise.all(arns.map(async (arn) => (await assume(credentials, arn)).status));
    assert.deepEqual(statuses, [403, 200]);
  });

  it('give the pod an hour at most, because the server role was assumed', async () => {
    const { assume, server, near } = startPrinted();
    const credentials = await server();
    const statuses = ['3600', '3601'].map(
      async (DurationSeconds) => (await assume(credentials, near, { ...right, DurationSeconds })).status,
    );
    assert.deepEqual(await Promise.all(statuses), [200, 400]);
  });

  it("let the servers' service account in by its token, and no other", () => {
    const policy = parseTrustPolicy(webIdentity.serverRole.trustPolicy);
    const issuer = 'oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE';
    const caller = {
      kind: 'federated',
      providerArn: `arn:aws:iam::123456789012:oidc-provider/${issuer}`,
    } as const;
    const verdict = (sub: string, aud = 'sts.amazonaws.com') => {
      const context = new Map([
        [`${issuer}:sub`.toLowerCase(), [sub]],
        [`${issuer}:aud`.toLowerCase(), [aud]],
      ]);
      return evaluateTrust(policy, caller, 'sts:AssumeRoleWithWebIdentity', context);
    };
    assert.equal(verdict('system:serviceaccount:kube-system:podpass-server'), 'principal');
    assert.equal(verdict('system:serviceaccount:kube-system:podpass-agent'), 'denied');
    assert.equal(verdict('system:serviceaccount:kube-system:podpass-server', 'vault'), 'denied');
  });
});
