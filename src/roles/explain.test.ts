import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { makeNamespace, makePod } from '../cluster/testing/make-objects.ts';
import { defaultAnnotationKeys } from './annotation-keys.ts';
import { createDecide } from './decide.ts';
import { explainDecision } from './explain.ts';

const decide = createDecide({
  baseArn: 'arn:aws:iam::123456789012:role/',
  defaultSessionName: 'kiam',
  keys: defaultAnnotationKeys,
  strictNamespaceRegexp: true,
});

function explain(annotations: Record<string, string>, permitted?: string | null): readonly string[] {
  const pod = makePod({ name: 'web-0', annotations });
  const namespace = makeNamespace('default', permitted ? { 'iam.amazonaws.com/permitted': permitted } : {});
  return explainDecision(decide(pod, permitted === null ? undefined : namespace));
}

const asReader = { 'iam.amazonaws.com/role': 'reader' };

describe('explainDecision', () => {
  it('shows a granted role with each question and its answer', () => {
    assert.deepEqual(explain({ ...asReader, 'iam.amazonaws.com/external-id': 'secret-id' }, '.*'), [
      'Granted: arn:aws:iam::123456789012:role/reader with the session name kiam-kiam.',
      '  Which role is the pod bound to?',
      '    annotation iam.amazonaws.com/role of the pod: "reader", which is arn:aws:iam::123456789012:role/reader',
      '  May it have that role?',
      '    annotation iam.amazonaws.com/permitted of namespace default: ".*" permits arn:aws:iam::123456789012:role/reader',
      '  What is STS asked for?',
      '    annotation iam.amazonaws.com/session-name of the pod: not set: the session is named kiam-kiam',
      '    annotation iam.amazonaws.com/external-id of the pod: set; its value is never shown',
    ]);
  });

  it('shows a refusal with what to do about it', () => {
    assert.deepEqual(explain(asReader), [
      'Forbidden: the namespace does not permit arn:aws:iam::123456789012:role/reader.',
      '  Which role is the pod bound to?',
      '    annotation iam.amazonaws.com/role of the pod: "reader", which is arn:aws:iam::123456789012:role/reader',
      '  May it have that role?',
      '    annotation iam.amazonaws.com/permitted of namespace default: not set: the namespace permits no role',
      "  To permit it, annotate the namespace with iam.amazonaws.com/permitted, so that it matches the role's ARN.",
    ]);
  });

  const table = [
    ['no role', {}, '.*', /^No role: the pod does not ask for one\.$/, undefined],
    [
      'no match',
      asReader,
      'writer',
      /^Forbidden/,
      /change the annotation iam\.amazonaws\.com\/permitted of the namespace/,
    ],
    [
      'a broken expression',
      asReader,
      '(',
      /^Forbidden/,
      /Correct the annotation .* until then it permits no role\.$/,
    ],
    ['a namespace not seen', asReader, null, /^Undecided/, /as soon as that is seen/],
    [
      'a broken role',
      { 'iam.amazonaws.com/role': 'arn:x' },
      '.*',
      /^Invalid: the annotation iam\.amazonaws\.com\/role of the pod cannot be used\.$/,
      /Correct the annotation iam\.amazonaws\.com\/role in the pod's template\.$/,
    ],
  ] as const;
  for (const [what, annotations, permitted, first, last] of table) {
    it(`explains ${what} in plain lines`, () => {
      const lines = explain(annotations, permitted);
      assert.match(lines[0] ?? '', first);
      if (last) assert.match(lines.at(-1) ?? '', last);
      else assert.match(lines.at(-1) ?? '', /^ {4}annotation /);
      for (const line of lines) assert.doesNotMatch(line, /\p{Cc}/u);
    });
  }

  it('stays short, and on its lines, whatever the annotations hold', () => {
    const hostile = `\n\u001b[31m${'x'.repeat(200_000)}`;
    const all = [
      ...explain({ 'iam.amazonaws.com/role': hostile }, '.*'),
      ...explain({ ...asReader, 'iam.amazonaws.com/session-name': hostile }, '.*'),
      ...explain(asReader, hostile),
      ...explain({ ...asReader, 'iam.amazonaws.com/external-id': hostile }, '.*'),
    ].join('\n');
    assert.ok(all.length < 5_000);
    assert.ok(!all.includes('\u001b'));
  });
});
