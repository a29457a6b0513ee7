import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createFakeClock } from '../base/fake-clock.ts';
import { createSeededRandom } from '../base/random.ts';
import { createSilentLogger } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { createInterner } from './interner.ts';
import { projectPod, watchPods } from './pods.ts';
import { createFakeCluster } from './testing/fake-cluster.ts';

const role = 'iam.amazonaws.com/role';
const keep = new Set([role]);
const metadata = { uid: 'u1', name: 'web-0', namespace: 'team', resourceVersion: '7' };

const whole = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    ...metadata,
    labels: { a: 'b' },
    annotations: { [role]: 'reader', other: 'dropped' },
    managedFields: [],
  },
  spec: { nodeName: 'node-1', serviceAccountName: 'web', hostNetwork: false, containers: [{ name: 'c' }] },
  status: {
    phase: 'Running',
    podIP: '10.0.0.1',
    podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }],
    hostIP: '192.0.2.1',
    hostIPs: [{ ip: '192.0.2.1' }],
  },
};

describe('what is kept of a pod', () => {
  it('is the few fields that are looked at', () => {
    assert.deepEqual(projectPod(whole, keep), {
      uid: 'u1',
      namespace: 'team',
      name: 'web-0',
      resourceVersion: '7',
      nodeName: 'node-1',
      serviceAccountName: 'web',
      phase: 'Running',
      hostNetwork: false,
      terminating: false,
      podIPs: ['10.0.0.1', 'fd00::1'],
      hostIPs: ['192.0.2.1'],
      annotations: { [role]: 'reader' },
    });
  });

  it('is empty where the pod has nothing yet', () => {
    const pod = projectPod({ metadata }, keep);
    assert.deepEqual(pod, {
      ...metadata,
      nodeName: '',
      serviceAccountName: '',
      phase: 'Unknown',
      hostNetwork: false,
      terminating: false,
      podIPs: [],
      hostIPs: [],
      annotations: {},
    });
  });

  it('says whether the pod is going, and whether it shares its node’s addresses', () => {
    const raw = {
      metadata: { ...metadata, deletionTimestamp: '2026-01-01T00:00:00Z' },
      spec: { hostNetwork: true },
    };
    const pod = projectPod(raw, keep);
    assert.equal(pod?.terminating, true);
    assert.equal(pod?.hostNetwork, true);
  });

  const phases = {
    Pending: 'Pending',
    Failed: 'Failed',
    Succeeded: 'Succeeded',
    Unknown: 'Unknown',
    Evil: 'Unknown',
  };
  for (const [phase, expected] of Object.entries(phases)) {
    it(`is of phase ${expected} where the API says ${phase}`, () => {
      assert.equal(projectPod({ metadata, status: { phase } }, keep)?.phase, expected);
    });
  }

  const addresses: [string, unknown, string[]][] = [
    ['podIP alone', { podIP: '10.0.0.1' }, ['10.0.0.1']],
    ['podIPs before podIP', { podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.2' }] }, ['10.0.0.2']],
    ['podIP where podIPs has none', { podIP: '10.0.0.1', podIPs: [] }, ['10.0.0.1']],
    [
      'what is text, and not the rest',
      { podIPs: [{ ip: 5 }, null, 'x', {}, { ip: '10.0.0.3' }] },
      ['10.0.0.3'],
    ],
    ['no address that is too long to be one', { podIP: 'x'.repeat(65) }, []],
    ['nothing from something else', { podIPs: { ip: '10.0.0.1' } }, []],
    [
      'sixteen at most',
      { podIPs: Array.from({ length: 99 }, () => ({ ip: '10.0.0.1' })) },
      Array(16).fill('10.0.0.1'),
    ],
  ];
  for (const [what, status, expected] of addresses) {
    it(`has as addresses ${what}`, () => {
      assert.deepEqual(projectPod({ metadata, status }, keep)?.podIPs, expected);
    });
  }

  it('has annotation values as they were written, of the keys asked for alone', () => {
    const value = `  ${'x'.repeat(10_000)}\u0000\n`;
    const annotations = { [role]: value, x: 'y', 'iam.amazonaws.com/external-id': 5 };
    const pod = projectPod(
      { metadata: { ...metadata, annotations } },
      new Set([role, 'iam.amazonaws.com/external-id']),
    );
    assert.deepEqual(pod?.annotations, { [role]: value });
  });

  it('does not take what every object inherits for an annotation', () => {
    const raw = JSON.parse(
      '{"metadata":{"uid":"u","name":"n","namespace":"s","resourceVersion":"1","annotations":{"__proto__":"x"}}}',
    );
    const pod = projectPod(raw, new Set(['__proto__', 'constructor', 'toString']));
    assert.deepEqual(Object.entries(pod?.annotations ?? {}), [['__proto__', 'x']]);
    assert.equal(({} as Record<string, unknown>).x, undefined);
  });

  const useless: [string, unknown][] = [
    ['nothing', undefined],
    ['null', null],
    ['text', 'pod'],
    ['a list', [whole]],
    ['no metadata', { spec: {} }],
    ...(['uid', 'name', 'namespace', 'resourceVersion'] as const).flatMap((key): [string, unknown][] => [
      [`no ${key}`, { metadata: { ...metadata, [key]: undefined } }],
      [`an empty ${key}`, { metadata: { ...metadata, [key]: '' } }],
      [`a ${key} that is no text`, { metadata: { ...metadata, [key]: 7 } }],
      [`a ${key} that is too long`, { metadata: { ...metadata, [key]: 'x'.repeat(300) } }],
    ]),
  ];
  for (const [what, raw] of useless) {
    it(`is nothing of ${what}`, () => assert.equal(projectPod(raw, keep), undefined));
  }

  it('never throws, and is sound whatever the JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), fc.jsonValue(), (annotations, spec, status) => {
        const pod = projectPod({ metadata: { ...metadata, annotations }, spec, status }, keep);
        assert.ok(pod);
        assert.equal(typeof pod.nodeName, 'string');
        assert.ok(
          [...pod.podIPs, ...pod.hostIPs, ...Object.values(pod.annotations)].every(
            (text) => typeof text === 'string',
          ),
        );
      }),
    );
    fc.assert(fc.property(fc.jsonValue(), (raw) => assert.equal(projectPod(raw, keep), undefined)));
  });

  it('shares texts that repeat', () => {
    const seen: string[] = [];
    projectPod(whole, keep, (text) => {
      seen.push(text);
      return text;
    });
    assert.deepEqual(seen.toSorted(), ['192.0.2.1', 'node-1', 'reader', 'team', 'web']);
  });
});

describe('an interner', () => {
  it('gives back the first copy of a text', () => {
    const calls = createInterner();
    assert.equal(calls('abc'), 'abc');
    assert.equal(calls(['a', 'bc'].join('')), 'abc');
  });

  it('gives every text back unchanged, also when it has forgotten all', () => {
    const intern = createInterner(2);
    for (const text of ['a', 'b', 'c', 'a', '', 'x'.repeat(1_000), 'a']) assert.equal(intern(text), text);
  });
});

describe('the watch of pods', () => {
  it('holds the pods of one node, where one is named', async () => {
    const clock = createFakeClock();
    const cluster = createFakeCluster({ clock });
    const path = '/api/v1/pods';
    cluster.put(path, {
      ...whole,
      namespace: 'team',
      name: 'web-0',
      metadata: { annotations: { [role]: 'reader' } },
    });
    cluster.put(path, { namespace: 'team', name: 'elsewhere', spec: { nodeName: 'node-2' } });
    const pods = watchPods({
      connection: cluster.connection,
      clock,
      random: createSeededRandom(1),
      logger: createSilentLogger(),
      metrics: createMetrics(),
      keepAnnotations: keep,
      nodeName: 'node-1',
    });
    const stopping = new AbortController();
    const running = pods.run(stopping.signal);
    await clock.advance(0);
    assert.equal(pods.size, 1);
    assert.deepEqual(pods.getByName('team', 'web-0')?.annotations, { [role]: 'reader' });
    assert.equal(cluster.requests[0]?.query.fieldSelector, 'spec.nodeName=node-1');
    stopping.abort();
    await running;
  });
});
