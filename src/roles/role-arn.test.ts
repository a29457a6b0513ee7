import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatRoleArn, longestRoleArn, parseRoleArn } from './role-arn.ts';

const aws = { partition: 'aws', accountId: '123456789012' };

describe('parseRoleArn', () => {
  const good = [
    ['arn:aws:iam::123456789012:role/reader', { ...aws, path: '/', name: 'reader' }],
    ['arn:aws:iam::123456789012:role/team/reader', { ...aws, path: '/team/', name: 'reader' }],
    ['arn:aws:iam::123456789012:role/a/b/c/d', { ...aws, path: '/a/b/c/', name: 'd' }],
    ['arn:aws:iam::123456789012:role/Az_09+=,.@-', { ...aws, path: '/', name: 'Az_09+=,.@-' }],
    ['arn:aws:iam::123456789012:role/o!d:p%th/x', { ...aws, path: '/o!d:p%th/', name: 'x' }],
    ['arn:aws:iam::123456789012:role//x', { ...aws, path: '//', name: 'x' }],
    [
      'arn:aws-cn:iam::000000000000:role/x',
      { partition: 'aws-cn', accountId: '000000000000', path: '/', name: 'x' },
    ],
    ['arn:aws-iso-b:iam::123456789012:role/x', { ...aws, partition: 'aws-iso-b', path: '/', name: 'x' }],
    [`arn:aws:iam::123456789012:role/${'n'.repeat(64)}`, { ...aws, path: '/', name: 'n'.repeat(64) }],
    [
      `arn:aws:iam::123456789012:role/${'p'.repeat(510)}/n`,
      { ...aws, path: `/${'p'.repeat(510)}/`, name: 'n' },
    ],
  ] as const;
  for (const [text, value] of good) {
    it(`reads ${text.slice(0, 60)}`, () => {
      assert.deepEqual(parseRoleArn(text), { kind: 'ok', value });
      assert.equal(formatRoleArn(value), text);
    });
  }

  const bad: readonly (readonly [text: string, problem: RegExp])[] = [
    ['', /not a role ARN/],
    ['reader', /not a role ARN/],
    // The one that stopped kiam for the whole cluster.
    ['arn:x', /"arn:x" is not a role ARN: it has to look like arn:aws:iam::123456789012:role\/name/],
    ['arn:', /not a role ARN/],
    ['arn:aws:iam::123456789012', /not a role ARN/],
    ['arn:::::', /"" is not an AWS partition/],
    ['arn:azure:iam::123456789012:role/x', /"azure" is not an AWS partition/],
    ['arn:AWS:iam::123456789012:role/x', /"AWS" is not an AWS partition/],
    ['ARN:aws:iam::123456789012:role/x', /not a role ARN/],
    ['arn:aws:sts::123456789012:assumed-role/x/y', /not the ARN of an IAM role/],
    ['arn:aws:iam:eu-west-1:123456789012:role/x', /not the ARN of an IAM role/],
    ['arn:aws:iam::123456789012:user/x', /does not name a role/],
    ['arn:aws:iam::123456789012:role', /does not name a role/],
    ['arn:aws:iam::123456789012:rolex/y', /does not name a role/],
    ['arn:aws:iam::123456789012:instance-profile/x', /does not name a role/],
    ['arn:aws:iam::12345678901:role/x', /12 digits, not "12345678901"/],
    ['arn:aws:iam::1234567890123:role/x', /12 digits/],
    ['arn:aws:iam::١٢٣٤٥٦٧٨٩٠١٢:role/x', /12 digits/],
    ['arn:aws:iam:::role/x', /12 digits, not ""/],
    ['arn:aws:iam::123456789012:role/', /role name is missing/],
    ['arn:aws:iam::123456789012:role/team/', /role name is missing/],
    [`arn:aws:iam::123456789012:role/${'n'.repeat(65)}`, /longer than 64/],
    [`arn:aws:iam::123456789012:role/${'p'.repeat(511)}/n`, /longer than 512/],
    ['arn:aws:iam::123456789012:role/re*der', /"re\*der" has characters that IAM does not allow/],
    ['arn:aws:iam::123456789012:role/rôle', /does not allow/],
    ['arn:aws:iam::123456789012:role/té/x', /path "\/té\/" has characters/],
    ['arn:aws:iam::123456789012:role/\u0000/x', /path "\/\\u\{0\}\/" has characters/],
    ['arn:aws:iam::123456789012:role/x\u0007', /does not allow/],
    ['arn:aws:iam::123456789012:role/x ', /contains white space/],
    [' arn:aws:iam::123456789012:role/x', /contains white space/],
    [
      'arn:aws:iam::123456789012:role/x\n',
      /"arn:aws:iam::123456789012:role\/x\\u\{a\}" contains white space/,
    ],
    ['arn:aws:iam::123456789012:role/a\u00a0b', /contains white space/],
    [`arn:aws:iam::123456789012:role/${'x/'.repeat(100_000)}`, /longer than any role ARN/],
  ];
  for (const [text, problem] of bad) {
    it(`refuses ${JSON.stringify(text.slice(0, 60))}: ${problem.source.slice(0, 40)}`, () => {
      const parsed = parseRoleArn(text);
      assert.equal(parsed.kind, 'invalid');
      assert.match(parsed.kind === 'invalid' ? parsed.problem : '', problem);
    });
  }

  const legal = [...'abcXYZ019_+=,.@-'];
  const name = fc.string({ unit: fc.constantFrom(...legal), minLength: 1, maxLength: 64 });
  const segment = fc.string({
    unit: fc.constantFrom(...legal, '!', ':', '%', '~'),
    minLength: 1,
    maxLength: 20,
  });
  const role = fc.record(
    {
      partition: fc.constantFrom('aws', 'aws-cn', 'aws-us-gov', 'aws-iso', 'aws-iso-b', 'aws-eusc'),
      accountId: fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 12, maxLength: 12 }),
      path: fc
        .array(segment, { maxLength: 5 })
        .map((parts) => `/${parts.map((part) => `${part}/`).join('')}`),
      name,
    },
    { noNullPrototype: true },
  );

  it('reads back every role that it writes', () => {
    fc.assert(
      fc.property(role, (value) => {
        const text = formatRoleArn(value);
        assert.deepEqual(parseRoleArn(text), { kind: 'ok', value });
        assert.ok(text.length <= longestRoleArn);
      }),
    );
  });

  it('never throws, and what it takes it writes back byte for byte', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom(...'arn:aws/iamole0123456789 *\n\u0000'), maxLength: 80 }),
      fc
        .tuple(role.map(formatRoleArn), fc.nat({ max: 80 }), fc.string({ unit: 'binary', maxLength: 3 }))
        .map(([arn, at, inserted]) => arn.slice(0, at) + inserted + arn.slice(at)),
    );
    fc.assert(
      fc.property(text, (hostile) => {
        const parsed = parseRoleArn(hostile);
        if (parsed.kind === 'ok') assert.equal(formatRoleArn(parsed.value), hostile);
        else assert.ok(parsed.problem.length > 0 && parsed.problem.length < 2_500);
      }),
      { numRuns: 1_000 },
    );
  });
});
