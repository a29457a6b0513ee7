import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ClientResult } from '../client.ts';
import type { Expectation } from './expectations.ts';
import { judge } from './judge.ts';
import { renderDemo } from './render-demo.ts';

const identity = (arn: string): ClientResult => ({ kind: 'identity', arn, account: '1' });
const error: ClientResult = { kind: 'error', name: 'CredentialsProviderError', message: 'no credentials' };
const run = (result: ClientResult, client = 'SDK v1') => ({ client, result, millis: 12.3 });
const arn = 'arn:aws:sts::1:assumed-role/reader/kiam-kiam';
const role: Expectation = {
  pod: 'ns/pod',
  kind: 'role',
  arn: /^(?:arn:aws:sts::1:assumed-role\/reader\/kiam-.*)$/,
};
const refusal: Expectation = { pod: 'ns/pod', kind: 'refusal', status: 403, texts: ['reader', 'rule'] };
const body = JSON.stringify({ Code: 'X', Message: 'reader is against the rule' });

describe('judge', () => {
  it('is content when every client became the expected role', () => {
    const verdict = judge(role, [run(identity(arn)), run(identity(arn), 'CLI v2')], []);
    assert.deepEqual(verdict, { pod: 'ns/pod', ok: true, got: arn, faults: [] });
  });

  it('names each client that became another role or none', () => {
    const { ok, faults } = judge(
      role,
      [run(identity(`${arn}x/y`)), run(identity('arn:other')), run(error, 'CLI v1')],
      [],
    );
    assert.equal(ok, false);
    assert.equal(faults.length, 2);
    assert.match(faults[0] ?? '', /SDK v1 became arn:other/);
    assert.match(faults[1] ?? '', /CLI v1 got no credentials: CredentialsProviderError/);
  });

  it('is content with a refusal of the right status that says why', () => {
    const verdict = judge(refusal, [run(error)], [{ status: 403, body }]);
    assert.deepEqual(verdict, { pod: 'ns/pod', ok: true, got: '403 reader is against the rule', faults: [] });
  });

  it('finds credentials where there should be none, a wrong status, and a reason that is missing', () => {
    assert.match(
      judge(refusal, [run(identity(arn))], [{ status: 403, body }]).faults[0] ?? '',
      /expected no credentials/,
    );
    assert.match(
      judge(refusal, [run(error)], [{ status: 500, body }]).faults[0] ?? '',
      /answered 500, expected 403/,
    );
    assert.match(
      judge(refusal, [run(error)], [{ status: 403, body: 'reader' }]).faults[0] ?? '',
      /does not say "rule"/,
    );
  });
});

describe('renderDemo', () => {
  const rows = [
    { verdict: judge(role, [run(identity(arn))], []), runs: [run(identity(arn)), run(error, 'CLI v1')] },
    { verdict: judge(refusal, [run(identity(arn))], [{ status: 403, body }]), runs: [run(identity(arn))] },
  ];

  it('has a column for each client, a line for each pod, below it what the pod got, and what was wrong', () => {
    const lines = renderDemo('pod', rows, 200).split('\n');
    assert.match(lines[0] ?? '', /^ +pod +SDK v1 +CLI v1$/);
    assert.match(lines[1] ?? '', /^ok +ns\/pod +role 12 ms +none 12 ms$/);
    assert.match(lines[2] ?? '', /^ +arn:aws:sts::1:assumed-role\/reader\/kiam-kiam$/);
    assert.match(lines[3] ?? '', /^BAD +ns\/pod +role 12 ms +-$/);
    assert.match(lines[5] ?? '', /WRONG: SDK v1 became/);
  });

  it('says again what a pod got only if it is another thing than in the table above', () => {
    const [first, second] = rows;
    assert.ok(first && second);
    const ofAnother = { ...second, verdict: { ...second.verdict, pod: 'ns/other' } };
    const above = [first, { ...ofAnother, verdict: { ...ofAnother.verdict, got: '404 nothing' } }];
    const lines = renderDemo('through the other', [first, ofAnother], 200, above).split('\n');
    assert.match(lines[0] ?? '', /^ +through the other +SDK v1 +CLI v1$/);
    assert.match(lines[1] ?? '', /^ok +ns\/pod +role 12 ms/);
    assert.match(lines[2] ?? '', /^BAD +ns\/other/);
    assert.equal(lines[3]?.trim(), second.verdict.got);
    assert.match(lines[4] ?? '', /WRONG/);
  });

  it('wraps long reasons', () => {
    const verdict = { pod: 'ns/pod', ok: true, got: 'word '.repeat(40).trim(), faults: [] };
    const lines = renderDemo('pod', [{ verdict, runs: [] }], 80).split('\n');
    assert.equal(lines.length, 5);
    for (const line of lines) assert.ok(line.length <= 80, line);
  });
});
