import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { Decision } from '../roles/decision.ts';
import { createLogger, createSilentLogger } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { type Announcer, type PodEvent, startAnnouncer } from './announcer.ts';
import { createPodTable, type PodTable } from './pod-table.ts';
import { fakeCredentials } from './testing/fake-sessions.ts';
import { makeView } from './testing/objects.ts';

const forbidden: Decision = {
  kind: 'forbidden',
  role: { name: 'admin', arn: 'arn:aws:iam::123456789012:role/admin' },
  refusal: { rule: 'missing', annotation: 'iam.amazonaws.com/permitted' },
  findings: [],
};

describe('announcer', () => {
  let table: PodTable;
  let events: PodEvent[];
  let fed: Set<string>;
  let announcer: Announcer;
  const reasons = () => events.map((event) => `${event.pod.name} ${event.reason}`);

  beforeEach(() => {
    table = createPodTable(createMetrics());
    events = [];
    fed = new Set(['node-1']);
    announcer = startAnnouncer({
      table,
      isFed: (node) => fed.has(node),
      record: (event) => events.push(event),
      logger: createSilentLogger(),
    });
  });

  it('says once that a role is forbidden, however often the pod changes', () => {
    table.upsert(makeView({ name: 'a', decision: forbidden }));
    table.upsert(makeView({ name: 'a', decision: { ...forbidden }, addresses: ['10.0.0.2'] }));
    assert.deepEqual(reasons(), ['a KiamRoleForbidden']);
    assert.match(events[0]?.message ?? '', /admin/);
    assert.match(events[0]?.message ?? '', /iam\.amazonaws\.com\/permitted/);
  });

  it("carries STS's own words when STS refuses", () => {
    table.upsert(
      makeView({
        name: 'a',
        session: { kind: 'refused', code: 'AccessDenied', message: 'User is not authorized' },
      }),
    );
    assert.deepEqual(reasons(), ['a KiamCredentialError']);
    assert.match(events[0]?.message ?? '', /User is not authorized/);
  });

  it('speaks again after the fault was mended and came back', () => {
    const issued = { kind: 'issued', credentials: fakeCredentials('AKIA', 1) } as const;
    const refused = { kind: 'refused', code: 'AccessDenied', message: 'no' } as const;
    for (const session of [refused, issued, refused]) table.upsert(makeView({ name: 'a', session }));
    assert.equal(events.length, 2);
  });

  it('has nothing to say of pods that are well, waiting, or without a role', () => {
    table.upsert(makeView({ name: 'a' }));
    table.upsert(makeView({ name: 'b', decision: { kind: 'no-role', findings: [] } }));
    table.upsert(
      makeView({ name: 'c', session: { kind: 'unavailable', code: 'Throttling', message: 'busy' } }),
    );
    assert.deepEqual(events, []);
  });

  it('leaves the pods of other nodes to the server that feeds those, until it is this one', () => {
    table.upsert(makeView({ name: 'a', nodeName: 'node-2', decision: forbidden }));
    assert.deepEqual(events, []);
    fed.add('node-2');
    announcer.feedChanged('node-2');
    announcer.feedChanged('node-2');
    assert.deepEqual(reasons(), ['a KiamRoleForbidden']);
  });

  it('tells at debug how each decision came about, once', () => {
    const lines: string[] = [];
    const logger = createLogger({ level: 'debug', json: true, write: (line) => lines.push(line) });
    startAnnouncer({ table, isFed: () => true, record: () => {}, logger });
    const findings = [{ question: 'role', lookedAt: 'annotation x', found: 'not set' }] as const;
    const decision: Decision = { kind: 'no-role', findings };
    table.upsert(makeView({ name: 'a', decision }));
    table.upsert(makeView({ name: 'a', decision, addresses: ['10.0.0.2'] }));
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', /"explanation":\[.*annotation x.*not set/);
  });

  it('forgets a pod that is gone, and says nothing after it was stopped', () => {
    table.upsert(makeView({ name: 'a', decision: forbidden }));
    table.remove('uid-a');
    table.upsert(makeView({ name: 'a', decision: forbidden }));
    assert.equal(events.length, 2);
    announcer.stop();
    table.upsert(makeView({ name: 'b', decision: forbidden }));
    assert.equal(events.length, 2);
  });
});

it("writes kiam's log lines, with its fields", () => {
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger({ level: 'info', json: true, write: (line) => lines.push(JSON.parse(line)) });
  const table = createPodTable(createMetrics());
  startAnnouncer({ table, isFed: () => true, record: () => {}, logger });
  const problem = { code: 'AccessDenied', message: 'not authorized to perform sts:AssumeRole' };
  table.upsert(makeView({ name: 'web', session: { kind: 'refused', ...problem } }));
  assert.match(String(lines[0]?.msg), /^error retrieving credentials: .*sts:AssumeRole/);
  assert.equal(lines[0]?.level, 'warning');
  assert.equal(lines[0]?.['pod.name'], 'web');
  assert.equal(lines[0]?.['pod.iam.role'], 'reader');
  assert.equal(lines[0]?.['pod.status.ip'], '10.0.0.1');
});
