import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Answer } from './client-process.ts';
import type { SeenRequest } from './fault-proxy.ts';
import { type Call, judge, type Outcome, outcomeOf, type Verdict } from './outcome.ts';

const arn = 'arn:aws:sts::123456789012:assumed-role/mine/kiam-kiam';
const byV2: SeenRequest = { target: 'credentials', withToken: true, status: 200 };
const byV1: SeenRequest = { ...byV2, withToken: false };

const call = (answer: Answer, ...requests: SeenRequest[]): Call => ({ answer, requests, millis: 1 });
const role = (...requests: SeenRequest[]) => call({ kind: 'identity', arn }, ...requests);
const error = call({ kind: 'error', code: 'NoAnswer', message: '' });
const other = call({ kind: 'identity', arn: 'arn:aws:sts::123456789012:assumed-role/node/i-0' });

describe('the outcome of a few calls', () => {
  const cases: readonly (readonly [outcome: Outcome, calls: readonly Call[]])[] = [
    ['role', [role(byV2), role()]],
    ['role by IMDSv1', [role(byV1), role()]],
    // What was refused without a token and came with one, in the same call.
    ['role', [role({ ...byV1, status: 401 }, byV2), role()]],
    ['role', [role(byV1, byV2), role()]],
    ['fails, then role', [error, role(byV1)]],
    ['fails, new client gets role', [error, error, role(byV2)]],
    ['fails, stays without', [error, error, error]],
    ['role, then fails', [role(byV2), error]],
    ['another role', [error, other]],
    ['another role', [other, role()]],
    ['hangs', [call({ kind: 'hangs' }), role()]],
    ['breaks', [call({ kind: 'broken', message: '' }), call({ kind: 'hangs' })]],
  ];
  for (const [outcome, calls] of cases)
    it(`${calls.map(({ answer }) => answer.kind).join(', ')}: ${outcome}`, () =>
      assert.equal(outcomeOf(calls, arn), outcome));
});

describe('the verdict on an outcome', () => {
  const wanted: readonly Outcome[] = ['role', 'fails, then role'];
  const cases: readonly (readonly [outcome: Outcome, verdict: Verdict])[] = [
    ['role', 'good'],
    ['fails, then role', 'good'],
    ['–', 'good'],
    ['role by IMDSv1', 'fair'],
    ['fails, new client gets role', 'fair'],
    ['fails, stays without', 'bad'],
    ['role, then fails', 'bad'],
    ['keeps old keys', 'bad'],
    ['another role', 'bad'],
    ['hangs', 'bad'],
    ['breaks', 'bad'],
  ];
  for (const [outcome, verdict] of cases)
    it(`${outcome}: ${verdict}`, () => assert.equal(judge(outcome, wanted), verdict));
});
