// A sandbox of objects and roles that a person wrote, and what it says of mistakes in them.
import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { arnIn, newFolder, podpass, whoAmI } from './sandbox-terminal.ts';

const bound = { timeout: 90_000 };

describe("a sandbox of one's own manifests", () => {
  const roles = `
accounts: ["111122223333"]
instances:
  node: arn:aws:iam::111122223333:role/node
  server: arn:aws:iam::111122223333:role/server
roles:
  - arn: arn:aws:iam::111122223333:role/node
    trustPolicy: &instance
      { Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { Service: ec2.amazonaws.com }, Action: sts:AssumeRole }] }
  - { arn: arn:aws:iam::111122223333:role/server, trustPolicy: *instance }
  - arn: arn:aws:iam::111122223333:role/own
    trustPolicy:
      Version: "2012-10-17"
      Statement: [{ Effect: Allow, Principal: { AWS: "arn:aws:iam::111122223333:role/server" }, Action: sts:AssumeRole }]
`;
  const objects = `
apiVersion: v1
kind: Namespace
metadata: { name: mine, annotations: { iam.amazonaws.com/permitted: ".*" } }
---
apiVersion: v1
kind: Pod
metadata: { name: app, namespace: mine, annotations: { iam.amazonaws.com/role: own } }
spec: { containers: [{ name: app, image: example.invalid/app }] }
`;

  async function writeManifests(files: Readonly<Record<string, string>>): Promise<string> {
    const path = await newFolder();
    for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
    return path;
  }

  it('has those objects and roles', bound, async () => {
    const manifests = await writeManifests({ 'roles.yaml': roles, 'objects.yaml': objects });
    const args = ['sandbox', 'exec', '--manifests', manifests, 'mine/app', '--', ...whoAmI];
    const { status, stdout, stderr } = await podpass(await newFolder(), ...args);
    assert.equal(status, 0, stderr);
    assert.equal(arnIn(stdout), 'arn:aws:sts::111122223333:assumed-role/own/kiam-kiam');
  });

  const mistakes: readonly (readonly [
    what: string,
    files: Readonly<Record<string, string>>,
    message: RegExp,
  ])[] = [
    [
      'no roles.yaml',
      { 'objects.yaml': objects },
      /cannot read the roles of the sandbox: .*roles\.yaml.*Put a roles\.yaml beside the manifests/,
    ],
    [
      'a role without a trust policy',
      { 'roles.yaml': `${roles}  - arn: arn:aws:iam::111122223333:role/lonely\n`, 'objects.yaml': objects },
      /roles\.yaml: role arn:aws:iam::111122223333:role\/lonely: it has no trustPolicy/,
    ],
    [
      'a manifest that is no YAML',
      { 'roles.yaml': roles, 'broken.yaml': `${objects}---\nkind: [\n` },
      /broken\.yaml, document 3: it is not YAML: /,
    ],
    [
      'a kind that the sandbox does not have',
      { 'roles.yaml': roles, 'objects.yaml': 'apiVersion: v1\nkind: Poodle\nmetadata: { name: rex }\n' },
      /objects\.yaml, document 1: the sandbox keeps no objects of kind Poodle in v1/,
    ],
    [
      'a pod in a namespace that is not there',
      { 'roles.yaml': roles, 'objects.yaml': objects.replaceAll('namespace: mine', 'namespace: yours') },
      /objects\.yaml, document 2: Pod yours\/app: namespaces? "yours" not found/,
    ],
  ];
  for (const [what, files, message] of mistakes) {
    it(`names file and problem: ${what}`, bound, async () => {
      const manifests = await writeManifests(files);
      const temporary = await newFolder();
      const { status, stdout, stderr } = await podpass(temporary, 'sandbox', '--manifests', manifests);
      assert.equal(status, 1);
      assert.match(stderr, message);
      assert.match(stderr, /^podpass: error: [^\n]+\n$/, 'one line, without a stack');
      assert.equal(stdout, '');
      assert.deepEqual(await readdir(temporary), [], 'nothing is left behind');
    });
  }

  it('says so when there is no such folder', bound, async () => {
    const missing = join(await newFolder(), 'missing');
    const { status, stderr } = await podpass(await newFolder(), 'sandbox', '--manifests', missing);
    assert.equal(status, 1);
    assert.equal(stderr, `podpass: error: --manifests: there is no folder ${missing}.\n`);
  });
});
