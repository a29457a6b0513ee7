// deploy/manifests/admission.yaml as Kubernetes' own API server enforces it.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { needs } from '../parts/availability.ts';
import { type Cluster, startCluster } from '../parts/cluster.ts';
import { projectRoot } from '../parts/locations.ts';
import { permittedKey } from './annotate.ts';
import { eventually } from './eventually.ts';
import { suiteScope } from './suite-scope.ts';

const bound = { timeout: 110_000 };
const manifest = (name: string) => readFile(join(projectRoot, 'deploy', 'manifests', name), 'utf8');

/** Users may do anything that RBAC can allow; `kubelet` is node-1's. */
const users = [
  { name: 'tenant', token: 'token-of-tenant', groups: ['tenants'] },
  { name: 'keeper', token: 'token-of-keeper', groups: ['tenants', 'podpass-admins'] },
  { name: 'system:node:node-1', token: 'token-of-kubelet', groups: ['system:nodes'] },
];
const allRights = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: tenants }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin }
subjects: [{ apiGroup: rbac.authorization.k8s.io, kind: Group, name: tenants }]
`;

describe('the admission policies', needs('kube-apiserver', 'etcd'), () => {
  const scope = suiteScope();
  let cluster: Cluster;
  let uidOf: Record<string, string>;

  before(async () => {
    cluster = await startCluster(scope, { users });
    const [rbac, admission] = [await manifest('rbac.yaml'), await manifest('admission.yaml')];
    await eventually(() => cluster.applyManifest(`${rbac}\n---${allRights}`), 30_000);
    await cluster.createServiceAccount('other', 'kube-system');
    uidOf = {};
    for (const account of ['podpass-agent', 'other']) {
      const pod = {
        name: account,
        namespace: 'kube-system',
        serviceAccountName: account,
        nodeName: 'node-1',
      };
      uidOf[account] = (await cluster.createPod(pod)).metadata.uid;
    }
    await cluster.createNamespace('team', { [permittedKey]: 'reader' });
    await cluster.createNamespace('plain');
    await cluster.applyManifest(admission);
    // The API server takes a policy up some seconds after it is applied.
    await eventually(async () => {
      assert.equal(await permit('plain', 'tenant', '.*'), 422);
      assert.equal(await askToken('tenant', 'podpass-agent'), 422);
    }, 60_000);
  }, bound);

  const tokenOf = (user: string) => users.find(({ name }) => name.endsWith(user))?.token ?? '';

  /** The status of a TokenRequest. */
  async function askToken(
    user: string,
    account: string,
    audience = 'podpass',
    isBound = true,
  ): Promise<number> {
    const answer = await cluster.request(
      'POST',
      `/api/v1/namespaces/kube-system/serviceaccounts/${account}/token`,
      {
        token: tokenOf(user),
        body: {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenRequest',
          spec: {
            audiences: [audience],
            ...(isBound && {
              boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: account, uid: uidOf[account] },
            }),
          },
        },
      },
    );
    return answer.status;
  }

  /** The status of a change of the annotation, tried and not made; `null` removes it. */
  async function permit(namespace: string, user: string, value: string | null): Promise<number> {
    const answer = await cluster.request('PATCH', `/api/v1/namespaces/${namespace}?dryRun=All`, {
      token: tokenOf(user),
      contentType: 'application/merge-patch+json',
      body: {
        metadata: { annotations: { [permittedKey]: value }, labels: { by: user.replaceAll(':', '-') } },
      },
    });
    return answer.status;
  }

  it('let kubelets have tokens for the pods of agents, and nobody else', bound, async () => {
    assert.equal(await askToken('node-1', 'podpass-agent'), 201);
    assert.equal(await askToken('tenant', 'podpass-agent'), 422);
    assert.equal(await askToken('tenant', 'podpass-agent', 'podpass', false), 422);
    assert.equal(await askToken('node-1', 'other'), 422, 'a pod of another account cannot pose as an agent');
  });

  it('leave tokens for others alone', bound, async () => {
    for (const user of ['tenant', 'node-1']) assert.equal(await askToken(user, 'other', 'vault'), 201);
    assert.equal(await askToken('tenant', 'other', 'vault', false), 201);
  });

  it('let the keepers say which roles a namespace permits, and nobody else', bound, async () => {
    for (const value of ['.*', '', null])
      assert.equal(await permit('team', 'tenant', value), 422, String(value));
    assert.equal(await permit('plain', 'tenant', ''), 422, 'an empty one is one, too');
    assert.equal(await permit('team', 'keeper', 'writer'), 200);
    assert.equal(await permit('team', 'keeper', null), 200);
    const create = (name: string, user: string, annotations: object) =>
      cluster.request('POST', '/api/v1/namespaces', {
        token: tokenOf(user),
        body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name, annotations } },
      });
    assert.equal((await create('made', 'tenant', { [permittedKey]: '.*' })).status, 422);
    assert.equal((await create('made', 'tenant', { other: 'x' })).status, 201);
    assert.equal((await create('kept', 'keeper', { [permittedKey]: '.*' })).status, 201);
  });

  it('leave other changes of a namespace alone', bound, async () => {
    const answer = await cluster.request('PATCH', '/api/v1/namespaces/kept', {
      token: tokenOf('tenant'),
      contentType: 'application/merge-patch+json',
      body: { metadata: { annotations: { other: 'x' } } },
    });
    assert.equal(answer.status, 200);
  });
});
