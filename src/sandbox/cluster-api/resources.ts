/** A field that `fieldSelector` may name: where it is, and what it counts as where it is absent. */
export interface SelectableField {
  readonly path: readonly string[];
  readonly absent?: string;
}

export type Subresource = 'status' | 'token' | 'finalize';

/** One resource of the API, as discovery shows it. */
export interface Resource {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly listKind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly subresources: readonly Subresource[];
  /** Beside `metadata.name` and `metadata.namespace`. */
  readonly fields: Readonly<Record<string, SelectableField>>;
}

interface Extras {
  readonly plural?: string;
  readonly short?: readonly string[];
  readonly cluster?: true;
  readonly all?: true;
  readonly subresources?: readonly Subresource[];
  readonly fields?: Readonly<Record<string, SelectableField>>;
  /** Not kept: a question that is answered. */
  readonly review?: true;
}

const storedVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

function define(groupVersion: string, kind: string, extras: Extras = {}): Resource {
  const [version = '', group = ''] = groupVersion.split('/').reverse();
  const singular = kind.toLowerCase();
  return {
    group,
    version,
    kind,
    listKind: `${kind}List`,
    plural: extras.plural ?? `${singular}s`,
    singular,
    shortNames: extras.short ?? [],
    categories: extras.all ? ['all'] : [],
    namespaced: !extras.cluster,
    verbs: extras.review ? ['create'] : storedVerbs,
    subresources: extras.subresources ?? [],
    fields: extras.fields ?? {},
  };
}

function fields(...names: readonly string[]): Record<string, SelectableField> {
  return Object.fromEntries(names.map((name) => [name, { path: name.split('.') }]));
}

const status: readonly Subresource[] = ['status'];

const eventFields = (about: string) =>
  fields(
    ...['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'].map(
      (field) => `${about}.${field}`,
    ),
    ...['reason', 'type', 'reportingComponent'],
  );

/** Everything this API serves. Adding a row adds the resource, with discovery, watch and table. */
export const resources: readonly Resource[] = [
  define('v1', 'ConfigMap', { short: ['cm'] }),
  define('v1', 'Endpoints', { plural: 'endpoints', short: ['ep'] }),
  define('v1', 'Event', { short: ['ev'], fields: eventFields('involvedObject') }),
  define('v1', 'Namespace', {
    short: ['ns'],
    cluster: true,
    subresources: ['status', 'finalize'],
    fields: fields('status.phase'),
  }),
  define('v1', 'Node', {
    short: ['no'],
    cluster: true,
    subresources: status,
    fields: { 'spec.unschedulable': { path: ['spec', 'unschedulable'], absent: 'false' } },
  }),
  define('v1', 'Pod', {
    short: ['po'],
    all: true,
    subresources: status,
    fields: {
      ...fields('spec.nodeName', 'spec.restartPolicy', 'spec.schedulerName', 'spec.serviceAccountName'),
      ...fields('status.phase', 'status.podIP', 'status.nominatedNodeName'),
      'spec.hostNetwork': { path: ['spec', 'hostNetwork'], absent: 'false' },
    },
  }),
  define('v1', 'Secret', { fields: fields('type') }),
  define('v1', 'Service', { short: ['svc'], all: true, subresources: status }),
  define('v1', 'ServiceAccount', { short: ['sa'], subresources: ['token'] }),
  define('apps/v1', 'DaemonSet', { short: ['ds'], all: true, subresources: status }),
  define('apps/v1', 'Deployment', { short: ['deploy'], all: true, subresources: status }),
  define('apps/v1', 'ReplicaSet', { short: ['rs'], all: true, subresources: status }),
  define('apps/v1', 'StatefulSet', { short: ['sts'], all: true, subresources: status }),
  define('batch/v1', 'CronJob', { short: ['cj'], all: true, subresources: status }),
  define('batch/v1', 'Job', { all: true, subresources: status }),
  define('coordination.k8s.io/v1', 'Lease'),
  define('discovery.k8s.io/v1', 'EndpointSlice'),
  define('events.k8s.io/v1', 'Event', { short: ['ev'], fields: eventFields('regarding') }),
  define('rbac.authorization.k8s.io/v1', 'ClusterRole', { cluster: true }),
  define('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding', { cluster: true }),
  define('rbac.authorization.k8s.io/v1', 'Role'),
  define('rbac.authorization.k8s.io/v1', 'RoleBinding'),
  define('admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration', { cluster: true }),
  define('admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration', { cluster: true }),
  define('authentication.k8s.io/v1', 'SelfSubjectReview', { cluster: true, review: true }),
  define('authentication.k8s.io/v1', 'TokenReview', { cluster: true, review: true }),
  define('authorization.k8s.io/v1', 'SelfSubjectAccessReview', { cluster: true, review: true }),
];

/** A resource as people and messages name it: `pods`, `deployments.apps`. */
export function resourceKey({ plural, group }: Resource): string {
  return group === '' ? plural : `${plural}.${group}`;
}

/** The `apiVersion` of its objects: `v1`, `apps/v1`. */
export function groupVersion({ group, version }: Pick<Resource, 'group' | 'version'>): string {
  return group === '' ? version : `${group}/${version}`;
}

export function isStored(resource: Resource): boolean {
  return resource.verbs.includes('get');
}

const byPath = new Map(
  resources.map((resource) => [`${groupVersion(resource)}/${resource.plural}`, resource]),
);
const byKind = new Map(resources.map((resource) => [`${groupVersion(resource)}/${resource.kind}`, resource]));
const byKey = new Map(resources.map((resource) => [resourceKey(resource), resource]));

/** By what a URL says: `apps`, `v1`, `deployments`. */
export function findResource(group: string, version: string, plural: string): Resource | undefined {
  return byPath.get(`${groupVersion({ group, version })}/${plural}`);
}

/** By what an object says: `apps/v1`, `Deployment`. */
export function findResourceOfKind(apiVersion: string, kind: string): Resource | undefined {
  return byKind.get(`${apiVersion}/${kind}`);
}

/**
 * By its key: `pods`, `deployments.apps`. For code that knows what it wants.
 *
 * @throws RangeError when there is no such row: a defect of the caller.
 */
export function resourceNamed(key: string): Resource {
  const resource = byKey.get(key);
  if (!resource) throw new RangeError(`no resource ${key} in the table`);
  return resource;
}
