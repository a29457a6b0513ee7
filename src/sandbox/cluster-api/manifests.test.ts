import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { PodpassError } from '../../base/errors.ts';
import { at } from './json.ts';
import { loadManifests, parseManifests, readManifests } from './manifests.ts';
import {
  configMaps,
  deployments,
  namespaces,
  nodes,
  pods,
  serviceAccounts,
  testStore,
} from './testing/test-store.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'podpass-manifests-'));
});
afterEach(() => rm(folder, { recursive: true }));

function write(name: string, text: string): Promise<void> {
  return writeFile(join(folder, name), text);
}

/** Expects ERR_SANDBOX with a text that has all of these in it. */
function sandboxError(...parts: readonly string[]) {
  return (error: unknown) => {
    assert.ok(error instanceof PodpassError, String(error));
    assert.equal(error.code, 'ERR_SANDBOX');
    for (const part of parts) assert.ok(error.message.includes(part), `${part} in: ${error.message}`);
    return true;
  };
}

const pod = (name: string, namespace: string) =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec: {containers: [{name: main}]}\n`;

describe('loading a folder of manifests', () => {
  it('creates namespaces first, whatever file they are in', async () => {
    const { store } = testStore();
    await write('a-pods.yaml', `${pod('web', 'shop')}---\n${pod('api', 'shop')}`);
    await write('z-namespaces.yml', 'apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n');
    await write('m.json', JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' } }));
    const made = await loadManifests(store, folder);
    assert.deepEqual(
      made.map(({ kind, metadata }) => `${kind} ${metadata.name}`),
      ['Namespace shop', 'Node node-1', 'Pod web', 'Pod api'],
    );
    assert.ok(store.get(namespaces, '', 'shop') && store.get(nodes, '', 'node-1'));
    assert.deepEqual(at(store.get(pods, 'shop', 'web'), 'status'), { phase: 'Pending' });
  });

  it('takes only files that are manifests, and not those left out', async () => {
    const { store } = testStore();
    await write('pods.yaml', pod('web', 'default'));
    await write('README.md', '# not a manifest');
    await write('roles.yaml', 'roles: {}');
    await mkdir(join(folder, 'inner.yaml.d'));
    await writeFile(join(folder, 'inner.yaml.d', 'more.yaml'), pod('other', 'default'));
    const made = await loadManifests(store, folder, { except: ['roles.yaml'] });
    assert.deepEqual(
      made.map(({ metadata }) => metadata.name),
      ['web'],
    );
    await assert.rejects(
      loadManifests(store, folder),
      sandboxError('roles.yaml, document 1', 'no apiVersion'),
    );
  });

  it('puts objects without a namespace into default', async () => {
    const { store } = testStore();
    await write('pod.yaml', 'apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n');
    await loadManifests(store, folder);
    assert.ok(store.get(pods, 'default', 'web'));
  });

  it('changes what is there already, like the default service account', async () => {
    const { store } = testStore();
    const annotation = 'eks.amazonaws.com/role-arn';
    await write(
      'account.yaml',
      `apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: default\n  annotations: {${annotation}: arn}\n`,
    );
    const before = store.get(serviceAccounts, 'default', 'default');
    await loadManifests(store, folder);
    const after = store.get(serviceAccounts, 'default', 'default');
    assert.equal(after?.metadata.uid, before?.metadata.uid);
    assert.deepEqual(after?.metadata.annotations, { [annotation]: 'arn' });
  });

  it('can be done twice, status included', async () => {
    const { store } = testStore();
    const text = pod('web', 'default');
    await write('pod.yaml', `${text}status: {phase: Running, podIP: 10.0.0.1}\n`);
    await loadManifests(store, folder);
    const version = store.resourceVersion;
    await loadManifests(store, folder);
    assert.equal(store.resourceVersion, version);
    await write('pod.yaml', `${text}status: {phase: Succeeded}\n`);
    await loadManifests(store, folder);
    assert.deepEqual(store.get(pods, 'default', 'web')?.status, { phase: 'Succeeded' });
  });

  it('takes objects that came out of a cluster, version and all', async () => {
    const { store } = testStore();
    await write(
      'pod.yaml',
      'apiVersion: v1\nkind: Pod\nmetadata: {name: web, uid: u, resourceVersion: "77"}\n',
    );
    const [made] = await loadManifests(store, folder);
    assert.notEqual(made?.metadata.uid, 'u');
    await loadManifests(store, folder);
  });

  it('says which object of which document cannot be created, and why', async () => {
    const { store } = testStore();
    await write('pods.yaml', `${pod('web', 'default')}---\n${pod('api', 'shop')}`);
    await assert.rejects(
      loadManifests(store, folder),
      sandboxError(join(folder, 'pods.yaml'), 'document 2', 'Pod shop/api', 'namespaces "shop" not found'),
    );
  });

  it('says when the folder is not there', async () => {
    await assert.rejects(
      readManifests(join(folder, 'gone')),
      sandboxError(join(folder, 'gone'), 'cannot be read'),
    );
  });

  it('says when a manifest is a folder', async () => {
    await mkdir(join(folder, 'x.yaml'));
    await assert.rejects(readManifests(folder), sandboxError('x.yaml', 'cannot be read'));
  });

  it('takes nothing that is huge', async () => {
    await write('huge.yaml', '#'.repeat(4 * 1024 * 1024 + 1));
    await assert.rejects(readManifests(folder), sandboxError('huge.yaml', 'larger than'));
    await write(
      'huge.yaml',
      `kind: List\napiVersion: v1\nitems: [${`{apiVersion: v1, kind: Node},`.repeat(20_001)}]`,
    );
    await assert.rejects(readManifests(folder), sandboxError('more than the 20000 objects'));
  });

  it('takes no thousands of files', async () => {
    await Promise.all(Array.from({ length: 1_001 }, (_, index) => write(`f-${index}.yaml`, '')));
    await assert.rejects(readManifests(folder), sandboxError('holds 1001 manifests', 'takes 1000'));
  });

  it('is content with an empty folder', async () => {
    assert.deepEqual(await readManifests(folder), []);
  });
});

describe('parsing a manifest', () => {
  it('reads documents, lists and typed lists', () => {
    const text = `
# a comment only
---
${pod('a', 'x')}
---
apiVersion: v1
kind: List
items:
- {apiVersion: apps/v1, kind: Deployment, metadata: {name: b}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: c}}
---
apiVersion: v1
kind: PodList
items:
- {metadata: {name: d}}
---
`;
    const manifests = parseManifests(text, 'f.yaml');
    assert.deepEqual(
      manifests.map(({ resource, object, source }) => [resource, at(object, 'metadata', 'name'), source]),
      [
        [pods, 'a', 'f.yaml, document 1'],
        [deployments, 'b', 'f.yaml, document 2, item 1'],
        [configMaps, 'c', 'f.yaml, document 2, item 2'],
        [pods, 'd', 'f.yaml, document 3, item 1'],
      ],
    );
    assert.deepEqual(parseManifests('', 'f.yaml'), []);
    assert.deepEqual(parseManifests('---\n---\n', 'f.yaml'), []);
  });

  const aliases = `a: &a [x]\n${[...'bcdefgh'].map((name, i) => `${name}: &${name} [${`*${'abcdefg'[i]}, `.repeat(10)}]`).join('\n')}`;
  const wrong: [string, string, string[]][] = [
    ['YAML that is broken', 'a: [', ['document 1', 'not YAML']],
    ['the second document', `${pod('a', 'x')}---\na: [`, ['document 2', 'not YAML']],
    ['a text', 'hello', ['document 1', 'not an object']],
    ['no kind', 'apiVersion: v1', ['no apiVersion and kind']],
    ['a kind that is not kept', 'apiVersion: v2\nkind: Pod', ['no objects of kind Pod in v2']],
    ['a review', 'apiVersion: authentication.k8s.io/v1\nkind: TokenReview', ['kind TokenReview']],
    [
      'an item that is a text',
      'apiVersion: v1\nkind: List\nitems: [x]',
      ['document 1, item 1', 'not an object'],
    ],
    ['aliases that multiply', aliases, ['document 1', 'alias']],
    ['a number without end', 'apiVersion: v1\nkind: Pod\nspec: {a: .inf}', ['Infinity']],
    ['a prototype', 'apiVersion: v1\nkind: Pod\nspec: {__proto__: {a: b}}', ['__proto__']],
    ['keys that are twice there', 'apiVersion: v1\nkind: Pod\nkind: Pod', ['not YAML']],
  ];
  for (const [what, text, parts] of wrong) {
    it(`names file and document for ${what}`, () => {
      assert.throws(() => parseManifests(text, 'f.yaml'), sandboxError('f.yaml', ...parts));
    });
  }

  it('either reads a text or says ERR_SANDBOX', () => {
    const piece = fc.constantFrom(
      'apiVersion: v1\n',
      'kind: Pod\n',
      'kind: List\n',
      'items: ',
      '[',
      '{}',
      '---\n',
      '- ',
      'a',
      '&a ',
      '*a',
      '\n',
      '"',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        try {
          parseManifests(pieces.join(''), 'f.yaml');
        } catch (error) {
          sandboxError('f.yaml')(error);
        }
      }),
      { numRuns: 300 },
    );
  });
});
