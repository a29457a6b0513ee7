// One pod's annotations from the cluster's JSON to everything that people and programs read of them.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createFakeClock } from '../src/base/fake-clock.ts';
import { type PodEvent, startAnnouncer } from '../src/broker/announcer.ts';
import { createDecider } from '../src/broker/decider.ts';
import { createPodTable } from '../src/broker/pod-table.ts';
import { createTableBroker } from '../src/broker/table-broker.ts';
import { createFakeSessions, fakeCredentials } from '../src/broker/testing/fake-sessions.ts';
import { createFakeWatch } from '../src/broker/testing/fake-watch.ts';
import { eventMessage } from '../src/cluster/event-text.ts';
import { createJsonLineReader } from '../src/cluster/json-lines.ts';
import { projectNamespace } from '../src/cluster/namespaces.ts';
import type { Namespace, Pod } from '../src/cluster/objects.ts';
import { projectPod } from '../src/cluster/pods.ts';
import { longestAnnotation } from '../src/cluster/project-object.ts';
import { createAnswerReplies } from '../src/metadata/answer-reply.ts';
import { defaultAnnotationKeys as keys } from '../src/roles/annotation-keys.ts';
import { createDecide } from '../src/roles/decide.ts';
import { createLogger } from '../src/telemetry/logger.ts';
import { createMetrics } from '../src/telemetry/metrics.ts';
import { podFromMessage, podToMessage } from '../src/wire/convert.ts';
import * as wire from '../src/wire/gen/podpass.ts';

const reader = 'arn:aws:iam::123456789012:role/reader';
const kept = new Set(Object.values(keys));

/** A server's rooms in a row, for pods and namespaces as the API writes them. */
function createLine() {
  const clock = createFakeClock();
  const metrics = createMetrics();
  const lines: string[] = [];
  const events: PodEvent[] = [];
  const logger = createLogger({ level: 'debug', json: true, clock, write: (line) => lines.push(line) });
  const [pods, namespaces] = [createFakeWatch<Pod>(), createFakeWatch<Namespace>()];
  const table = createPodTable(metrics);
  const sessions = createFakeSessions();
  const isFed = () => true;
  const decide = createDecide({
    baseArn: 'arn:aws:iam::123456789012:role/',
    defaultSessionName: 'kiam',
    keys,
    strictNamespaceRegexp: true,
  });
  startAnnouncer({ table, isFed, record: (event) => events.push(event), logger });
  createDecider({ pods, namespaces, decide, sessions, table, isFed, clock, metrics }).start();
  sessions.set(reader, { kind: 'issued', credentials: fakeCredentials('AKIA1', clock.now()) });
  const broker = createTableBroker({ table, clock });
  const replies = createAnswerReplies();
  return {
    table,
    lines,
    events,
    namespace(name: string, annotations: unknown) {
      const metadata = { uid: `uid-${name}`, name, resourceVersion: '1', annotations };
      const namespace = projectNamespace(overTheWire({ metadata }), kept);
      if (namespace) namespaces.set(namespace);
    },
    pod(name: string, namespace: string, podIP: string, annotations: unknown) {
      const metadata = { uid: `uid-${name}`, name, namespace, resourceVersion: '1', annotations };
      const status = { phase: 'Running', podIPs: [{ ip: podIP }] };
      const pod = projectPod(overTheWire({ metadata, spec: { nodeName: 'node-1' }, status }), kept);
      if (pod) pods.set(pod);
    },
    ask: (address: string, role = 'reader') => replies.credentials(broker.ask(address), role),
  };
}

/** As a watch brings it. */
function overTheWire(object: unknown): unknown {
  return createJsonLineReader(8_388_608).push(Buffer.from(`${JSON.stringify(object)}\n`)).objects[0];
}

/** Everything that was said is short, of one line and well formed; and a neighbour is served as if nothing was. */
function check(line: ReturnType<typeof createLine>): void {
  for (const text of [...line.events.map(({ message }) => eventMessage(message)), ...line.lines]) {
    assert.ok(Buffer.byteLength(text) <= 8_192, `${text.length}: ${text.slice(0, 200)}`);
    assert.doesNotMatch(text.trimEnd(), /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u);
    assert.ok(text.isWellFormed());
  }
  for (const view of line.table.values()) {
    const bytes = wire.Pod.encode(podToMessage(view, 0)).finish();
    // An agent takes messages of 4 MB; hundreds of pods have to fit into the memory of one.
    assert.ok(bytes.length < 20_000, `${bytes.length}`);
    assert.equal(podFromMessage(wire.Pod.decode(bytes), 0).kind, 'ok');
  }
  const body = String(line.ask('10.0.0.1').body);
  assert.ok(Buffer.byteLength(body) <= 8_192);
  assert.doesNotMatch(body, /\bundefined\b|\[object/);
  const neighbour = line.ask('10.0.0.2');
  assert.equal(neighbour.status, 200);
  assert.match(String(neighbour.body), /AKIA1/);
}

/** The neighbour is there before and after. */
function withHostile(ofPod: unknown, ofNamespace: unknown) {
  const line = createLine();
  line.namespace('good', { [keys.permitted]: '.*' });
  line.pod('neighbour', 'good', '10.0.0.2', { [keys.role]: 'reader' });
  line.namespace('bad', ofNamespace);
  line.pod('hostile', 'bad', '10.0.0.1', ofPod);
  return line;
}

const kib256 = 262_144;
const escapes = '\u001b[2J\u0000\r\n\u2028\u202e\u0085';
const texts: [string, string][] = [
  ['256 kB', 'x'.repeat(kib256)],
  ['256 kB of characters that take three bytes', '\u20ac'.repeat(kib256 / 3)],
  ['256 kB of what opens', '('.repeat(kib256)],
  ['256 kB of quotation marks', '"'.repeat(kib256)],
  ['control characters and marks that reorder text', escapes],
  ['lone surrogates', '\ud800x\udfff'],
  ['lone surrogates within a role', `${reader}\udc00`],
  ['a line of a log', 'reader\n{"level":"error","msg":"forged"}'],
  ['a header', 'reader\r\nX-Forged: 1'],
  ['a template', '{{7*7}}%s%n'],
  ['an ARN of another account and 2 kB', `arn:aws:iam::999999999999:role/${'a/'.repeat(1_000)}x`],
  ['what every object inherits', '__proto__'],
  ['nothing', ''],
  ['white space', ' \t\u00a0'],
];

describe('annotations that are hostile', () => {
  for (const [name, text] of texts) {
    for (const key of [keys.role, keys.sessionName, keys.externalId]) {
      it(`harm nobody: ${name} for ${key} of a pod`, () => {
        check(withHostile({ [keys.role]: 'reader', [key]: text }, { [keys.permitted]: '.*' }));
        check(withHostile({ [keys.role]: 'reader', [key]: text }, {}));
      });
    }
    it(`harm nobody: ${name} for ${keys.permitted} of a namespace`, () =>
      check(withHostile({ [keys.role]: 'reader' }, { [keys.permitted]: text })));
  }

  const shapes: [string, unknown][] = [
    [
      'a hundred thousand of them',
      Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`k${i}`, 'v'])),
    ],
    ['a list', ['reader']],
    ['null', null],
    ['numbers and objects for values', { [keys.role]: 5, [keys.sessionName]: { a: 1 } }],
    ['a key that every object inherits', JSON.parse('{"__proto__":{"iam.amazonaws.com/role":"reader"}}')],
  ];
  for (const [name, annotations] of shapes) {
    it(`harm nobody: ${name}`, () => check(withHostile(annotations, annotations)));
  }

  it('of 256 kB are not held: a thousand pods may have them', () => {
    const identity = { uid: 'u', name: 'p', namespace: 'bad', resourceVersion: '1' };
    const annotations = { [keys.sessionName]: 'y'.repeat(kib256) };
    const pod = projectPod(overTheWire({ metadata: { ...identity, annotations } }), kept);
    assert.equal(pod?.annotations[keys.sessionName]?.length, longestAnnotation);
  });

  it('harm nobody, whatever they are', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.constantFrom(...texts.map(([, value]) => value.slice(0, 3_000))),
      fc.stringMatching(/^[(a-z*+?|)[\]{}0-9,\\^$.]{0,60}$/),
    );
    fc.assert(
      fc.property(text, text, text, text, (role, session, external, permitted) => {
        check(
          withHostile(
            { [keys.role]: role, [keys.sessionName]: session, [keys.externalId]: external },
            { [keys.permitted]: permitted },
          ),
        );
      }),
      { numRuns: 300 },
    );
  });
});
