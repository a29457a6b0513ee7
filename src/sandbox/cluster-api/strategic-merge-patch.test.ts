import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { deepFreeze, type JsonObject } from './json.ts';
import { strategicMergePatch } from './strategic-merge-patch.ts';

const pod = deepFreeze({
  metadata: { name: 'web', labels: { app: 'web' }, finalizers: ['a/1', 'a/2'] },
  spec: {
    containers: [
      { name: 'main', image: 'web:1', env: [{ name: 'A', value: '1' }], args: ['x', 'y'] },
      { name: 'side', image: 'side:1', ports: [{ containerPort: 80 }, { containerPort: 81, name: 'b' }] },
    ],
    tolerations: [{ key: 'a' }, { key: 'b' }],
    volumes: [{ name: 'data', emptyDir: {} }],
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } },
  },
  status: { conditions: [{ type: 'Ready', status: 'False' }], podIPs: [{ ip: '10.0.0.1' }] },
});

function patched(patch: JsonObject, part: 'metadata' | 'spec' | 'status') {
  return strategicMergePatch(pod, { [part]: patch })[part];
}

describe('strategic merge patch', () => {
  it('merges maps and removes by null', () => {
    assert.deepEqual(patched({ labels: { app: null, tier: 'front' } }, 'metadata'), {
      ...pod.metadata,
      labels: { tier: 'front' },
    });
  });

  it('merges containers and their environment by name, new ones last', () => {
    const patch = {
      containers: [
        { name: 'main', image: 'web:2', env: [{ name: 'B', value: '2' }] },
        { name: 'new', image: 'new:1' },
      ],
    };
    const [main, side] = pod.spec.containers;
    assert.deepEqual(patched(patch, 'spec'), {
      ...pod.spec,
      containers: [
        {
          ...main,
          image: 'web:2',
          env: [
            { name: 'A', value: '1' },
            { name: 'B', value: '2' },
          ],
        },
        side,
        { name: 'new', image: 'new:1' },
      ],
    });
  });

  it('merges ports by number, conditions by type, addresses by ip', () => {
    const ports = strategicMergePatch(pod.spec.containers[1], { ports: [{ containerPort: 81, name: 'c' }] });
    assert.deepEqual(ports.ports, [{ containerPort: 80 }, { containerPort: 81, name: 'c' }]);
    const service = strategicMergePatch(
      { ports: [{ port: 80, nodePort: 1 }] },
      { ports: [{ port: 80, nodePort: 2 }] },
    );
    assert.deepEqual(service, { ports: [{ port: 80, nodePort: 2 }] });
    assert.deepEqual(
      patched({ conditions: [{ type: 'Ready', status: 'True' }], podIPs: [{ ip: 'fd00::1' }] }, 'status'),
      { conditions: [{ type: 'Ready', status: 'True' }], podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }] },
    );
  });

  it('replaces lists that have no key', () => {
    assert.deepEqual(strategicMergePatch(pod.spec.containers[0], { args: ['z'] }).args, ['z']);
    const spec = patched({ tolerations: [{ key: 'c' }] }, 'spec') as typeof pod.spec;
    assert.deepEqual(spec.tolerations, [{ key: 'c' }]);
  });

  it('adds to sets, and takes out of them what it is told to', () => {
    assert.deepEqual(patched({ finalizers: ['a/2', 'a/3'] }, 'metadata'), {
      ...pod.metadata,
      finalizers: ['a/1', 'a/2', 'a/3'],
    });
    assert.deepEqual(patched({ '$deleteFromPrimitiveList/finalizers': ['a/1', 'a/9'] }, 'metadata'), {
      ...pod.metadata,
      finalizers: ['a/2'],
    });
  });

  it('deletes an item, a map, or everything', () => {
    assert.deepEqual(
      (patched({ containers: [{ name: 'main', $patch: 'delete' }] }, 'spec') as typeof pod.spec).containers,
      [pod.spec.containers[1]],
    );
    assert.deepEqual(
      (patched({ containers: [{ name: 'nobody', $patch: 'delete' }] }, 'spec') as typeof pod.spec).containers,
      pod.spec.containers,
    );
    assert.deepEqual(patched({ labels: { $patch: 'delete' } }, 'metadata'), {
      name: 'web',
      finalizers: ['a/1', 'a/2'],
    });
    assert.deepEqual(strategicMergePatch(pod, { $patch: 'delete' }), {});
  });

  it('replaces a map or a list when told to', () => {
    const spec = patched(
      {
        strategy: { $patch: 'replace', type: 'Recreate' },
        containers: [{ $patch: 'replace' }, { name: 'only', image: 'only:1' }],
      },
      'spec',
    );
    assert.deepEqual(spec, {
      ...pod.spec,
      strategy: { type: 'Recreate' },
      containers: [{ name: 'only', image: 'only:1' }],
    });
  });

  it('keeps of a map only the fields that are named', () => {
    const patch = { strategy: { $retainKeys: ['type'], type: 'Recreate' } };
    assert.deepEqual(patched(patch, 'spec'), { ...pod.spec, strategy: { type: 'Recreate' } });
  });

  it('leaves no directive behind', () => {
    const patch = {
      $setElementOrder: 'x',
      '$setElementOrder/containers': [{ name: 'side' }, { name: 'main' }],
      containers: [{ name: 'late', env: [{ name: 'A', $patch: 'delete' }], '$setElementOrder/env': [] }],
    };
    const text = JSON.stringify(patched(patch, 'spec'));
    assert.ok(!text.includes('$'), text);
  });

  it('changes nothing more the second time, and never what it was given', () => {
    const name = fc.constantFrom('a', 'b', 'c');
    const item = fc.record({ name, image: fc.string() });
    const items = fc.uniqueArray(item, { selector: (one) => one.name });
    const object = fc.record({
      containers: items,
      labels: fc.dictionary(name, fc.string()),
      args: fc.array(name),
    });
    fc.assert(
      fc.property(object, object, (target, patch) => {
        const once = strategicMergePatch(deepFreeze(target), deepFreeze(patch));
        assert.deepEqual(strategicMergePatch(once, patch), once);
      }),
    );
  });
});
