import type { Random } from '../../base/random.ts';
import { type JsonObject, only, same, without } from './json.ts';
import { type Draft, type KubeObject, type ObjectMeta, timestamp } from './objects.ts';
import type { Resource, Subresource } from './resources.ts';
import { badRequest, conflict, done, invalid, type Outcome } from './status.ts';

/** What only the server writes. */
const serverOwned = [
  'uid',
  'resourceVersion',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'generation',
  'managedFields',
  'selfLink',
];

/** What only a subresource changes. A namespace's `spec` is its finalizers. */
const ownedBy: Readonly<Record<Subresource, readonly string[]>> = {
  status: ['status'],
  finalize: ['spec'],
  token: [],
};

/** Kubernetes leaves out vowels and look-alikes, so that no generated name is a word. */
const suffixAlphabet = 'bcdfghjklmnpqrstvwxz2456789';

const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** The object that a create makes of a draft; its resource version comes with the commit. */
export function newObject(
  resource: Resource,
  draft: Draft,
  now: number,
  random: Random,
): Outcome<KubeObject> {
  const { generateName = '', namespace } = draft.metadata;
  const name = draft.metadata.name || (generateName && generateName + suffix(random));
  if (!name)
    return invalid(resource.kind, '', 'metadata.name', 'Required value: name or generateName is required');
  const problem = nameProblem(resource, name);
  if (problem) return invalid(resource.kind, name, 'metadata.name', problem);
  if (draft.metadata.resourceVersion) {
    return badRequest('resourceVersion should not be set on objects to be created');
  }
  const metadata: ObjectMeta = {
    ...without(draft.metadata, ...serverOwned, 'namespace'),
    name,
    ...(resource.namespaced && namespace && { namespace }),
    uid: uuid(random),
    resourceVersion: '',
    creationTimestamp: timestamp(now),
    ...(draft.spec !== undefined && { generation: 1 }),
  };
  return done({ ...draft, metadata });
}

/**
 * The object that an update makes of the stored one. A subresource changes its own part and nothing else; the main
 * resource leaves the status alone where it has a subresource for it.
 *
 * Returns the stored object itself when nothing changed: a real API server writes nothing then, and neither tells
 * the watches.
 */
export function updatedObject(
  resource: Resource,
  stored: KubeObject,
  draft: Draft,
  part?: 'status' | 'finalize',
): Outcome<KubeObject> {
  const { name, uid, resourceVersion } = stored.metadata;
  if (draft.metadata.uid && draft.metadata.uid !== uid) {
    const why = `Precondition failed: UID in precondition: ${draft.metadata.uid}, UID in object meta: ${uid}`;
    return conflict(resource, name, why);
  }
  if (draft.metadata.resourceVersion && draft.metadata.resourceVersion !== resourceVersion) {
    return conflict(resource, name);
  }
  const next = merged(resource, stored, draft, part);
  return done(same(next, stored) ? stored : next);
}

function merged(
  resource: Resource,
  stored: KubeObject,
  draft: Draft,
  part?: 'status' | 'finalize',
): KubeObject {
  if (part) return { ...stored, ...only(draft, ownedBy[part]) };
  const elsewhere = resource.subresources.flatMap((subresource) => ownedBy[subresource]);
  const body: JsonObject = { ...without(draft, ...elsewhere), ...only(stored, elsewhere) };
  const { generation } = stored.metadata;
  const grown = generation !== undefined && !same(essence(body), essence(stored));
  const fixed = [...serverOwned, 'name', 'namespace', 'generateName'];
  const metadata: JsonObject = {
    ...without(draft.metadata, ...fixed),
    ...only(stored.metadata, fixed),
    ...(grown && { generation: generation + 1 }),
  };
  // The fields that make it an ObjectMeta are those just taken over from the stored one.
  return { ...body, apiVersion: stored.apiVersion, kind: stored.kind, metadata: metadata as ObjectMeta };
}

function essence(object: JsonObject): JsonObject {
  return without(object, 'metadata', 'status');
}

/** Why an object may not have this name, if so. RBAC's names may be any one path segment. */
function nameProblem(resource: Resource, name: string): string | undefined {
  if (resource.group === 'rbac.authorization.k8s.io') {
    return name === '.' || name === '..' || /[/%]/.test(name) ? 'may not contain "/" or "%"' : undefined;
  }
  if (name.length > 253) return 'must be no more than 253 characters';
  return subdomain.test(name)
    ? undefined
    : `Invalid value: ${JSON.stringify(name)}: a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character`;
}

function suffix(random: Random): string {
  return Array.from(
    { length: 5 },
    () => suffixAlphabet[Math.floor(random.next() * suffixAlphabet.length)],
  ).join('');
}

/** A version 4 UUID from the randomness that was passed in. */
export function uuid(random: Random): string {
  const bytes = random.bytes(16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Buffer.from(bytes).toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
