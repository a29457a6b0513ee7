import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseRolesFile, readRolesFile } from './roles-file.ts';

const good = `
accounts: ["123456789012"]
instances:
  node: arn:aws:iam::123456789012:role/node
  server: arn:aws:iam::123456789012:role/server
roles:
  - arn: arn:aws:iam::123456789012:role/node
    trustPolicy: &instances
      Version: "2012-10-17"
      Statement: [{ Effect: Allow, Principal: { Service: ec2.amazonaws.com }, Action: "sts:AssumeRole" }]
  - name: server
    account: "123456789012"
    trustPolicy: *instances
    mayAssume: "*"
    policies: [{ Version: "2012-10-17", Statement: { Effect: Deny, Action: "*", Resource: "*" } }]
    tags: { team: platform }
    description: what the server runs as
  - name: reader
    account: "123456789012"
    path: /team/
    maxSessionDuration: 7200
    trustPolicy:
      Version: "2012-10-17"
      Statement:
        - Effect: Allow
          Principal: { AWS: "arn:aws:iam::123456789012:role/server" }
          Action: sts:AssumeRole
`;

describe('parseRolesFile', () => {
  it('reads accounts, roles and the roles of the two instances', () => {
    const file = parseRolesFile(good, 'roles.yaml');
    assert.deepEqual(file.accounts, ['123456789012']);
    assert.equal(file.nodeRoleArn, 'arn:aws:iam::123456789012:role/node');
    assert.equal(file.serverRoleArn, 'arn:aws:iam::123456789012:role/server');
    assert.deepEqual(Array.from(file.roles.keys()), [
      'arn:aws:iam::123456789012:role/node',
      'arn:aws:iam::123456789012:role/server',
      'arn:aws:iam::123456789012:role/team/reader',
    ]);
    const reader = file.roles.get('arn:aws:iam::123456789012:role/team/reader');
    assert.equal(reader?.maxSessionDuration, 7_200);
    assert.deepEqual(reader?.mayAssume, []);
    const server = file.roles.get('arn:aws:iam::123456789012:role/server');
    assert.equal(server?.maxSessionDuration, 3_600);
    assert.deepEqual(server?.mayAssume, ['*']);
    assert.equal(server?.policies?.[0]?.statements[0]?.effect, 'Deny');
    assert.equal(reader?.policies, undefined);
  });

  const roleEntry = '  - name: reader\n    account: "123456789012"\n';
  const cases: readonly (readonly [what: string, from: string | RegExp, to: string, says: RegExp])[] = [
    ['a file that is not YAML', 'accounts: [', 'accounts: [[', /^roles\.yaml: it is not YAML: /],
    ['a file that is a list', /^[\s\S]*$/, '- a', /^roles\.yaml: the file is not a mapping$/],
    ['an empty file', /^[\s\S]*$/, '', /the file is not a mapping/],
    [
      'a word it does not know',
      'accounts:',
      'acounts:',
      /"acounts", which means nothing here; known are accounts/,
    ],
    ['an account without quotes', '["123456789012"]', '[123456789012]', /accounts .* quotes/],
    ['an account that is too short', '["123456789012"]', '["12345"]', /"12345"; an account id is 12 digits/],
    ['roles that are no list', /roles:[\s\S]*$/, 'roles: {}', /roles is not a list/],
    [
      'an instance without a role',
      /node: arn.*/,
      'node: arn:aws:iam::123456789012:role/x',
      /instances\.node must be the ARN/,
    ],
    ['a third instance', 'instances:', 'instances:\n  other: a', /"other"/],
    [
      'a role of an unknown account',
      roleEntry,
      '  - name: reader\n    account: "210987654321"\n',
      /role reader: its account 210987654321 is not among accounts/,
    ],
    ['a role without a name', roleEntry, '  - account: "123456789012"\n', /role number 3: it needs an arn/],
    [
      'a role with both spellings',
      roleEntry,
      `${roleEntry}    arn: arn:aws:iam::123456789012:role/reader\n`,
      /write either arn, or name/,
    ],
    ['a path without slashes', 'path: /team/', 'path: team', /is not a role ARN; .*begins and ends with/],
    ['a name that IAM refuses', 'name: reader', 'name: my reader', /role my reader: .*is not a role ARN/],
    [
      'a session that is too long',
      '7200',
      '43201',
      /maxSessionDuration must be a number of seconds from 3600 to 43200/,
    ],
    ['a session that is no number', '7200', '2h', /maxSessionDuration/],
    ['a role without a trust policy', / {4}trustPolicy:\n[^&]*$/, '', /role reader: it has no trustPolicy/],
    [
      'a trust policy that cannot be',
      /Effect: Allow\n/,
      'Effect: Maybe\n',
      /^roles\.yaml: role reader: trustPolicy: Effect must be/,
    ],
    ['mayAssume that is no text', 'mayAssume: "*"', 'mayAssume: 1', /role server: mayAssume is not a text/],
  ];
  for (const [what, from, to, says] of cases) {
    it(`refuses ${what}`, () => {
      const text = good.replace(from, to);
      assert.notEqual(text, good);
      assert.throws(() => parseRolesFile(text, 'roles.yaml'), { code: 'ERR_SANDBOX', message: says });
    });
  }

  it('refuses a role that is there twice', () => {
    const twice = `${good}${good.slice(good.indexOf(roleEntry)).trimStart().replace(/^/, '  ')}`;
    assert.throws(() => parseRolesFile(twice, 'roles.yaml'), {
      code: 'ERR_SANDBOX',
      message: /role\/team\/reader is there twice; remove one/,
    });
  });

  it('bounds what it reads', () => {
    assert.throws(() => parseRolesFile('#'.repeat(1024 * 1024 + 1), 'roles.yaml'), {
      message: /longer than/,
    });
    const bomb = [
      'a: &a0 [x]',
      ...Array.from({ length: 9 }, (_, i) => `b${i}: &a${i + 1} [${`*a${i},`.repeat(9)}]`),
    ];
    assert.throws(() => parseRolesFile(bomb.join('\n'), 'roles.yaml'), {
      code: 'ERR_SANDBOX',
      message: /aliases cannot be followed/,
    });
  });
});

describe('readRolesFile', () => {
  it('says where the file should be', async () => {
    await assert.rejects(readRolesFile('/nonexistent/roles.yaml'), {
      code: 'ERR_SANDBOX',
      message: /\/nonexistent\/roles\.yaml.*Put a roles\.yaml beside the manifests/,
    });
  });

  it('reads the file that comes with podpass', async () => {
    const path = fileURLToPath(new URL('../../../examples/roles.yaml', import.meta.url));
    const file = await readRolesFile(path);
    assert.equal(file.nodeRoleArn, 'arn:aws:iam::123456789012:role/sandbox-node');
    assert.equal(file.serverRoleArn, 'arn:aws:iam::123456789012:role/podpass-server');
  });
});
