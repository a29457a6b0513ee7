import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseBaseArn } from './base-arn.ts';

function problemOf(parsed: ReturnType<typeof parseBaseArn>): string {
  return parsed.kind === 'invalid' ? parsed.problem : `taken for ${parsed.value}`;
}

describe('parseBaseArn', () => {
  const good = [
    ['arn:aws:iam::123456789012:role/', 'arn:aws:iam::123456789012:role/'],
    ['arn:aws:iam::123456789012:role', 'arn:aws:iam::123456789012:role/'],
    ['arn:aws:iam::123456789012:role/team/', 'arn:aws:iam::123456789012:role/team/'],
    ['arn:aws:iam::123456789012:role/team', 'arn:aws:iam::123456789012:role/team/'],
    [
      'arn:aws-us-gov:iam::123456789012:role/bosh-passed/',
      'arn:aws-us-gov:iam::123456789012:role/bosh-passed/',
    ],
  ] as const;
  for (const [text, base] of good) {
    it(`reads ${text}`, () => assert.deepEqual(parseBaseArn(text), { kind: 'ok', value: base }));
  }

  const shape = /is not a role base ARN: it has to look like arn:aws:iam::123456789012:role\//;
  const bad = [
    ['', shape],
    ['role/', shape],
    ['arn:aws:iam::123456789012:', shape],
    ['arn:aws:iam::123456789012:rolefoo', shape],
    ['arn:aws:iam::123456789:role/', shape],
    ['arn::iam::123456789012:role/', shape],
    ['arn:aws:iam::123456789012:role/ ', shape],
    ['arn:aws:iam::123456789012:user/', shape],
    ['arn:aws:iam::123456789012:role/té/', /characters that IAM does not allow/],
    [`arn:aws:iam::123456789012:role/${'p'.repeat(512)}/`, /longer than 512/],
  ] as const;
  for (const [text, problem] of bad) {
    it(`refuses ${JSON.stringify(text.slice(0, 50))}`, () =>
      assert.match(problemOf(parseBaseArn(text)), problem));
  }

  it('takes its own results, and never throws', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'grapheme' }).map((path) => `arn:aws:iam::123456789012:role/${path}`),
    );
    fc.assert(
      fc.property(text, (hostile) => {
        const parsed = parseBaseArn(hostile);
        if (parsed.kind === 'ok') assert.deepEqual(parseBaseArn(parsed.value), parsed);
      }),
    );
  });
});
