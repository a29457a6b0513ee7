import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock } from '../base/fake-clock.ts';
import type { Answer } from '../broker/broker.ts';
import { createAnswerReplies, roleOf } from './answer-reply.ts';
import type { Reply } from './reply.ts';
import {
  fakeCaller as caller,
  credentialsAnswer,
  fakeCredentials,
  fakeRole as role,
} from './testing/fake-broker.ts';

const clock = createFakeClock();
const problem = { code: 'AccessDenied', message: 'not authorized to perform sts:AssumeRole' };
const refusal = { rule: 'missing', annotation: 'iam.amazonaws.com/permitted' } as const;

const answers = {
  credentials: credentialsAnswer(clock),
  pending: { kind: 'pending', caller, role },
  noRole: { kind: 'no-role', caller },
  forbidden: { kind: 'forbidden', caller, decision: { kind: 'forbidden', role, refusal, findings: [] } },
  invalid: {
    kind: 'forbidden',
    caller,
    decision: { kind: 'invalid', annotation: 'iam.amazonaws.com/role', problem: 'too long', findings: [] },
  },
  refused: { kind: 'refused', caller, role, problem },
  unavailable: { kind: 'unavailable', caller, role, problem: { code: 'Throttling', message: 'slow down' } },
  undecided: { kind: 'undecided', caller },
  unknown: { kind: 'unknown', address: '10.0.0.1' },
  ambiguous: { kind: 'ambiguous', address: '10.0.0.1', claimants: [caller, { ...caller, name: 'web-1' }] },
} as const satisfies Record<string, Answer>;

function header({ headers }: Reply, name: string): string | undefined {
  const at = headers.indexOf(name);
  return at < 0 ? undefined : headers[at + 1];
}

/** The table of docs/metadata-protocol.md, row by row: status of the list, status of the credentials. */
const table: [keyof typeof answers, number, number][] = [
  ['credentials', 200, 200],
  ['pending', 200, 503],
  ['noRole', 404, 404],
  ['forbidden', 403, 403],
  ['invalid', 403, 403],
  ['refused', 200, 403],
  ['unavailable', 200, 503],
  ['undecided', 503, 503],
  ['unknown', 503, 503],
  ['ambiguous', 503, 503],
];

describe('answers at the metadata door', () => {
  const replies = createAnswerReplies();

  for (const [name, list, credentials] of table) {
    it(`answers ${list} to the list and ${credentials} to the credentials: ${name}`, () => {
      assert.equal(replies.list(answers[name]).status, list);
      assert.equal(replies.credentials(answers[name], 'reader').status, credentials);
    });

    it(`tells clients to come again exactly where that may help: ${name}`, () => {
      for (const reply of [replies.list(answers[name]), replies.credentials(answers[name], 'reader')]) {
        assert.equal(header(reply, 'Retry-After'), reply.status === 503 ? '1' : undefined);
      }
    });

    it(`says why in a way that SDKs show: ${name}`, () => {
      const reply = replies.credentials(answers[name], 'reader');
      if (reply.status !== 403 && reply.status !== 503) return;
      const body = JSON.parse(String(reply.body));
      assert.deepEqual(Object.keys(body), ['Code', 'Message', 'code', 'message']);
      assert.notEqual(body.Code, 'Success');
      assert.equal(body.code, body.Code);
      assert.ok(body.Message.length > 20);
    });

    it(`answers 404 to another role than the pod's, if it has one: ${name}`, () => {
      const expected = roleOf(answers[name]) ? 404 : credentials;
      assert.equal(replies.credentials(answers[name], 'writer').status, expected);
    });
  }

  it('lists the name as annotated, as text, without a line feed', () => {
    for (const name of ['reader', '/team/reader', 'arn:aws:iam::123456789012:role/team/reader']) {
      const reply = replies.list({
        ...answers.pending,
        role: { name, arn: 'arn:aws:iam::123456789012:role/team/reader' },
      });
      assert.equal(reply.body, name);
      assert.equal(header(reply, 'Content-Type'), 'text/plain; charset=utf-8');
    }
  });

  it('writes credentials in the order of EC2, on one line, in whole seconds of UTC', () => {
    const credentials = {
      ...fakeCredentials(clock),
      issuedAt: Date.UTC(2026, 0, 2, 3, 4, 5, 999),
      goodUntil: 1_000,
      expiration: Date.UTC(2026, 11, 31, 23, 59, 59, 1),
    };
    const reply = replies.credentials(
      { ...answers.credentials, kind: 'credentials', caller, role, credentials },
      'reader',
    );
    assert.equal(header(reply, 'Content-Type'), 'application/json');
    assert.equal(
      reply.body,
      '{"Code":"Success","LastUpdated":"2026-01-02T03:04:05Z","Type":"AWS-HMAC",' +
        `"AccessKeyId":"${credentials.accessKeyId}","SecretAccessKey":"${credentials.secretAccessKey}",` +
        `"Token":"${credentials.sessionToken}","Expiration":"2026-12-31T23:59:59Z","AccountId":"123456789012"}\n`,
    );
  });

  it('leaves the account out where the ARN does not name one', () => {
    const odd = { name: 'reader', arn: 'arn:aws:iam::aws:role/reader' };
    const answer: Answer = { kind: 'credentials', caller, role: odd, credentials: fakeCredentials(clock) };
    assert.equal('AccountId' in JSON.parse(String(replies.credentials(answer, 'reader').body)), false);
  });

  it('renders a set of credentials once, and new ones anew', () => {
    const first = replies.credentials(answers.credentials, 'reader');
    assert.equal(replies.credentials({ ...answers.credentials }, 'reader/'), first);
    const renewed = replies.credentials(credentialsAnswer(clock), 'reader');
    assert.notEqual(renewed, first);
  });

  it("carries STS's own code and message where STS refuses", () => {
    const body = JSON.parse(String(replies.credentials(answers.refused, 'reader').body));
    assert.equal(body.Code, 'AccessDenied');
    assert.match(body.Message, /not authorized to perform sts:AssumeRole/);
  });

  it('names pod, namespace, role and rule where policy forbids', () => {
    const { Message } = JSON.parse(String(replies.list(answers.forbidden).body));
    for (const part of [
      'shop/web-0',
      'reader',
      'namespace shop',
      'iam.amazonaws.com/permitted',
      'Set it so that it matches',
    ]) {
      assert.ok(Message.includes(part), part);
    }
  });

  it('never tells a secret in an error', () => {
    for (const answer of Object.values(answers)) {
      if (answer.kind === 'credentials') continue;
      const text = `${replies.list(answer).body}${replies.credentials(answer, 'writer').body}`;
      assert.doesNotMatch(text, /fake\/secret|FwoGZX/);
    }
  });
});
