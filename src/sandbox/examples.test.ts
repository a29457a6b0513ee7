import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { before, describe, it } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { createFakeClock } from '../base/fake-clock.ts';
import { createSeededRandom } from '../base/random.ts';
import { createSts, type Sts } from './sts/create-sts.ts';
import { parseRolesFile } from './sts/roles-file.ts';
import { call, signedCall } from './sts/sts.fixture.ts';

const folder = new URL('../../examples/', import.meta.url);
const read = (file: string) => readFileSync(new URL(file, folder), 'utf8');

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: { readonly nodeName: string };
  readonly status?: unknown;
}

interface Expectation {
  readonly pod: string;
  readonly arn?: string;
  readonly status?: number;
  readonly text?: readonly string[];
}

const manifests = readdirSync(folder)
  .filter((file) => file.endsWith('.yaml') && file !== 'roles.yaml' && file !== 'expected.yaml')
  .flatMap((file) =>
    parseAllDocuments(read(file)).map((document) => ({ file, manifest: document.toJS() as Manifest })),
  );
const expected: readonly Expectation[] = parse(read('expected.yaml')).pods;
const pods = manifests.filter(({ manifest }) => manifest.kind === 'Pod');
const nameOf = ({ metadata }: Manifest) => `${metadata.namespace}/${metadata.name}`;

describe('examples', () => {
  it('hold objects that Kubernetes would take, of three kinds', () => {
    assert.ok(manifests.length > 10);
    for (const { file, manifest } of manifests) {
      assert.equal(manifest.apiVersion, 'v1', file);
      assert.ok(['Node', 'Namespace', 'Pod'].includes(manifest.kind), file);
      assert.match(manifest.metadata.name, /^[a-z0-9-]{1,63}$/, file);
      assert.equal(manifest.status, undefined, file);
      for (const value of Object.values(manifest.metadata.annotations ?? {}))
        assert.equal(typeof value, 'string');
    }
  });

  it('have one file for each namespace, named after it', () => {
    for (const { file, manifest } of manifests) {
      const { name, namespace } = manifest.metadata;
      assert.equal(file, `${namespace ?? name}.yaml`);
    }
  });

  it('put each pod on the node that is there', () => {
    for (const { manifest } of pods) assert.equal(manifest.spec?.nodeName, 'sandbox-node', nameOf(manifest));
    assert.ok(
      manifests.some(({ manifest }) => manifest.kind === 'Node' && manifest.metadata.name === 'sandbox-node'),
    );
  });

  it('say for each pod what the demo must see, and for no other', () => {
    assert.deepEqual(
      expected.map(({ pod }) => pod).sort(),
      pods.map(({ manifest }) => nameOf(manifest)).sort(),
    );
    for (const { pod, arn, status, text } of expected) {
      assert.notEqual(arn === undefined, status === undefined, `${pod} has either an ARN or a status`);
      if (arn) assert.doesNotThrow(() => new RegExp(`^(?:${arn})$`));
      if (text) assert.ok(text.every((part) => typeof part === 'string'));
    }
  });
});

describe('roles.yaml of the examples', () => {
  const roles = parseRolesFile(read('roles.yaml'), 'roles.yaml');
  const clock = createFakeClock();
  let sts: Sts;
  before(() => {
    sts = createSts({ clock, random: createSeededRandom(1), roles: roles.roles.values() });
  });

  /** What STS answers when the holder of an instance's role asks for what a pod is bound to. */
  async function assumeAs(instanceRoleArn: string, annotations: Readonly<Record<string, string>>) {
    const credentials = sts.issueFor(instanceRoleArn, { sessionName: 'i-1' });
    const asked = annotations['iam.amazonaws.com/role'] ?? '';
    const externalId = annotations['iam.amazonaws.com/external-id'];
    const parameters = {
      Action: 'AssumeRole',
      RoleArn: asked.startsWith('arn:') ? asked : `arn:aws:iam::123456789012:role/${asked}`,
      RoleSessionName: `kiam-${annotations['iam.amazonaws.com/session-name'] ?? 'kiam'}`,
      ...(externalId !== undefined && { ExternalId: externalId }),
    };
    return await call(sts, signedCall(parameters, { credentials, at: clock.now() }));
  }

  for (const { manifest } of pods) {
    const annotations = manifest.metadata.annotations ?? {};
    if (!('iam.amazonaws.com/role' in annotations)) continue;
    const expectation = expected.find(({ pod }) => pod === nameOf(manifest));

    it(`gives the server what ${nameOf(manifest)} is to see from STS`, async () => {
      const { status, elements } = await assumeAs(roles.serverRoleArn, annotations);
      if (expectation?.arn) {
        assert.match(elements.Arn ?? '', new RegExp(`^(?:${expectation.arn})$`));
      } else if (nameOf(manifest) === 'iam-example/mistyped-role') {
        assert.equal(status, expectation?.status);
        for (const part of expectation?.text ?? []) {
          assert.ok(`${elements.Code}: ${elements.Message}`.includes(part), part);
        }
      } else {
        // podpass is to refuse these before STS is asked; STS itself would not.
        assert.equal(status, 200);
      }
    });

    it(`gives the node nothing of what ${nameOf(manifest)} asks for`, async () => {
      assert.equal((await assumeAs(roles.nodeRoleArn, annotations)).status, 403);
    });
  }

  it('has the external id that the pod names, and wants it', async () => {
    const pod = pods.find(({ manifest }) => nameOf(manifest) === 'external-id-example/reader');
    const { 'iam.amazonaws.com/external-id': _, ...without } = pod?.manifest.metadata.annotations ?? {};
    assert.equal((await assumeAs(roles.serverRoleArn, without)).status, 403);
  });
});
