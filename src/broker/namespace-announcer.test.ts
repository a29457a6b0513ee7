import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { createFakeClock } from '../base/fake-clock.ts';
import type { Namespace, Pod } from '../cluster/objects.ts';
import { makeNamespace, makePod } from '../cluster/testing/make-objects.ts';
import { defaultAnnotationKeys as keys } from '../roles/annotation-keys.ts';
import { createDecide } from '../roles/decide.ts';
import { createLogger } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import type { Announcer } from './announcer.ts';
import { createDecider } from './decider.ts';
import { type NamespaceEvent, startNamespaceAnnouncer } from './namespace-announcer.ts';
import { createPodTable } from './pod-table.ts';
import { createFakeSessions } from './testing/fake-sessions.ts';
import { createFakeWatch, type FakeWatch } from './testing/fake-watch.ts';

describe('namespace announcer', () => {
  let pods: FakeWatch<Pod>;
  let namespaces: FakeWatch<Namespace>;
  let events: NamespaceEvent[];
  let lines: string[];
  let fed: Set<string>;
  let announcer: Announcer;

  beforeEach(() => {
    [pods, namespaces] = [createFakeWatch(), createFakeWatch()];
    [events, lines, fed] = [[], [], new Set(['node-1'])];
    const metrics = createMetrics();
    const table = createPodTable(metrics);
    const isFed = (node: string) => fed.has(node);
    const logger = createLogger({ level: 'info', json: true, write: (line) => lines.push(line) });
    const decide = createDecide({
      baseArn: 'arn:aws:iam::123456789012:role/',
      defaultSessionName: 'kiam',
      keys,
      strictNamespaceRegexp: true,
    });
    announcer = startNamespaceAnnouncer({
      table,
      namespaces,
      isFed,
      record: (event) => events.push(event),
      logger,
    });
    const [sessions, clock] = [createFakeSessions(), createFakeClock()];
    createDecider({ pods, namespaces, decide, sessions, table, isFed, clock, metrics }).start();
  });

  let version = 0;
  const setRule = (annotations: Record<string, string>) =>
    namespaces.set({ ...makeNamespace('default', annotations), resourceVersion: String(++version) });
  const addPod = (name: string, changes: Partial<Pod> = {}) =>
    pods.set(makePod({ name, annotations: { [keys.role]: 'reader' }, ...changes }));
  const broken = { [keys.allowedRoles]: '["*", null]' };

  it('says once what is wrong with a rule, however many pods it concerns', () => {
    setRule(broken);
    for (const name of ['a', 'b', 'c']) addPod(name);
    addPod('a', { podIPs: ['10.0.0.9'] });
    assert.deepEqual(
      events.map(({ namespace, reason, message }) => [namespace.uid, reason, message]),
      [
        [
          makeNamespace('default').uid,
          'PodpassNamespaceRuleInvalid',
          'annotation iam.amazonaws.com/allowed-roles of namespace default is "["*", null]", which cannot be used: ' +
            'entry 2 of the list is not a text; it has to look like ["reader", "team-*"]. ' +
            'It permits no role until it is corrected.',
        ],
      ],
    );
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', /"level":"warning".*"namespace":"default".*PodpassNamespaceRuleInvalid/);
  });

  it("speaks of kiam's expression, too", () => {
    setRule({ [keys.permitted]: '(' });
    addPod('a');
    assert.match(events[0]?.message ?? '', /^annotation iam\.amazonaws\.com\/permitted of namespace default/);
  });

  it('speaks again when the rule is changed and still wrong, or wrong again', () => {
    setRule(broken);
    addPod('a');
    setRule({ [keys.allowedRoles]: '"reader"' });
    assert.equal(events.length, 2);
    setRule({ [keys.allowedRoles]: '["reader"]' });
    assert.equal(events.length, 2);
    setRule({ [keys.allowedRoles]: '"reader"' });
    assert.equal(events.length, 3);
  });

  it('does not repeat itself for a change elsewhere in the namespace', () => {
    setRule(broken);
    addPod('a');
    setRule({ ...broken });
    addPod('b');
    assert.equal(events.length, 1);
  });

  it('speaks of a namespace of the same name that was made anew', () => {
    setRule(broken);
    addPod('a');
    namespaces.delete(makeNamespace('default').uid);
    setRule(broken);
    assert.equal(events.length, 2);
  });

  it('has nothing to say where a role is only not permitted, or no pod asks for one', () => {
    setRule({ [keys.allowedRoles]: '["writer"]', [keys.permitted]: '' });
    addPod('a');
    setRule(broken);
    events.length = 0;
    pods.delete('uid-a');
    setRule({ [keys.allowedRoles]: 'x' });
    addPod('plain', { annotations: {} });
    assert.deepEqual(events, []);
  });

  it('leaves the pods of other nodes to the server that feeds those, until it is this one', () => {
    setRule(broken);
    addPod('a', { nodeName: 'node-2' });
    assert.deepEqual(events, []);
    fed.add('node-2');
    announcer.feedChanged('node-1');
    assert.deepEqual(events, []);
    announcer.feedChanged('node-2');
    assert.equal(events.length, 1);
  });

  it('says nothing after it was stopped', () => {
    announcer.stop();
    setRule(broken);
    addPod('a');
    assert.deepEqual(events, []);
  });
});
