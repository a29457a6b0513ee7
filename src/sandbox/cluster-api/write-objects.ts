import type { ApiRequest } from './api-request.ts';
import { at, isObject, type Json, type JsonObject, listAt, textAt } from './json.ts';
import type { DeleteOptions, ObjectStore, WriteOptions } from './object-store.ts';
import type { KubeObject } from './objects.ts';
import { applyPatchTo, patchKindOf } from './patch.ts';
import { mediaType } from './request-body.ts';
import type { Route } from './route.ts';
import { parseSelection } from './selection.ts';
import { badRequest, done, notFound, type Outcome, type Status } from './status.ts';

/** The object as it is after a write, and whether that write made it. */
export interface Written {
  readonly object: KubeObject;
  readonly created: boolean;
}

/** POST to a collection. */
export async function createObject(
  store: ObjectStore,
  route: Route,
  request: ApiRequest,
): Promise<Outcome<Written>> {
  const dryRun = parseDryRun(request.query.getAll('dryRun'));
  if (dryRun.kind === 'refused') return dryRun;
  const body = await request.readBody();
  if (body.kind === 'refused') return body;
  const draft = addressed(route, body.value);
  if (draft.kind === 'refused') return draft;
  const made = store.create(route.resource, draft.value, dryRun.value);
  return made.kind === 'refused' ? made : done({ object: made.value, created: true });
}

/** PUT of an object or one of its parts. */
export async function replaceObject(
  store: ObjectStore,
  route: Route,
  request: ApiRequest,
): Promise<Outcome<Written>> {
  const body = await request.readBody();
  if (body.kind === 'refused') return body;
  return update(store, route, request, body.value);
}

/**
 * PATCH in all four ways. Reading, patching and writing happen in one go, so a patch meets no conflict but the one
 * it asks for by naming a resource version.
 */
export async function patchObject(
  store: ObjectStore,
  route: Route,
  request: ApiRequest,
): Promise<Outcome<Written>> {
  const kind = patchKindOf(mediaType(request.contentType));
  if (kind.kind === 'refused') return kind;
  const patch = await request.readBody();
  if (patch.kind === 'refused') return patch;
  if (kind.value === 'apply' && !request.query.get('fieldManager')) {
    return badRequest(
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    );
  }
  const { resource, namespace = '', name = '' } = route;
  const stored = store.get(resource, namespace, name);
  if (!stored) {
    if (kind.value !== 'apply' || route.subresource) return notFound(resource, name);
    const fresh = applyPatchTo({}, 'apply', patch.value);
    if (fresh.kind === 'refused') return fresh;
    const draft = addressed(route, fresh.value);
    const dryRun = parseDryRun(request.query.getAll('dryRun'));
    if (draft.kind === 'refused') return draft;
    if (dryRun.kind === 'refused') return dryRun;
    const made = store.create(resource, draft.value, dryRun.value);
    return made.kind === 'refused' ? made : done({ object: made.value, created: true });
  }
  const patched = applyPatchTo(stored, kind.value, patch.value);
  if (patched.kind === 'refused') return patched;
  return update(store, route, request, patched.value);
}

/** DELETE of one object. Answers the Status of success, or the object while finalizers hold it. */
export async function deleteObject(
  store: ObjectStore,
  route: Route,
  request: ApiRequest,
): Promise<Outcome<KubeObject | Status>> {
  const options = await readDeleteOptions(request);
  if (options.kind === 'refused') return options;
  const { resource, namespace = '', name = '' } = route;
  const deleted = store.delete(resource, namespace, name, options.value);
  if (deleted.kind === 'refused') return deleted;
  if (!deleted.value.gone) return done(deleted.value.object);
  const { uid } = deleted.value.object.metadata;
  const details = { name, ...(resource.group && { group: resource.group }), kind: resource.plural, uid };
  return done({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details, code: 200 });
}

/** DELETE of a collection, as far as selectors reach. Answers what was deleted. */
export async function deleteObjects(
  store: ObjectStore,
  route: Route,
  request: ApiRequest,
): Promise<Outcome<readonly KubeObject[]>> {
  const options = await readDeleteOptions(request);
  if (options.kind === 'refused') return options;
  const selection = parseSelection(route.resource, route.namespace, request.query);
  if (selection.kind === 'refused') return selection;
  const chosen = store.list(route.resource, route.namespace).filter(selection.value.matches);
  for (const { metadata } of chosen) {
    store.delete(route.resource, metadata.namespace ?? '', metadata.name, options.value);
  }
  return done(chosen);
}

function update(store: ObjectStore, route: Route, request: ApiRequest, body: Json): Outcome<Written> {
  const dryRun = parseDryRun(request.query.getAll('dryRun'));
  if (dryRun.kind === 'refused') return dryRun;
  const draft = addressed(route, body);
  if (draft.kind === 'refused') return draft;
  const { subresource: part } = route;
  const isPart = part === 'status' || part === 'finalize';
  const updated = store.update(route.resource, draft.value, { ...dryRun.value, ...(isPart && { part }) });
  return updated.kind === 'refused' ? updated : done({ object: updated.value, created: false });
}

/** The object with the namespace and name of the URL; refused when it says others itself. */
function addressed({ resource, namespace, name }: Route, body: Json): Outcome<JsonObject> {
  if (!isObject(body)) return badRequest(`the body is not a ${resource.kind}: it is not an object`);
  const given = body.metadata ?? {};
  if (!isObject(given)) return badRequest('metadata: it is not an object');
  if (namespace !== undefined && (given.namespace ?? namespace) !== namespace) {
    return badRequest(
      'the namespace of the provided object does not match the namespace sent on the request',
    );
  }
  if (name !== undefined && (given.name ?? name) !== name) {
    const [inBody, inUrl] = [textAt(given, 'name'), name];
    return badRequest(`the name of the object (${inBody}) does not match the name on the URL (${inUrl})`);
  }
  const metadata = {
    ...given,
    ...(namespace !== undefined && { namespace }),
    ...(name !== undefined && { name }),
  };
  return done({ ...body, metadata });
}

async function readDeleteOptions(request: ApiRequest): Promise<Outcome<DeleteOptions>> {
  const body = await request.readBody();
  if (body.kind === 'refused') return body;
  const inBody = listAt(body.value, 'dryRun');
  const dryRun = parseDryRun(inBody.length > 0 ? inBody : request.query.getAll('dryRun'));
  if (dryRun.kind === 'refused') return dryRun;
  const preconditions = at(body.value, 'preconditions');
  const uid = textAt(preconditions, 'uid');
  const resourceVersion = textAt(preconditions, 'resourceVersion');
  return done({ ...dryRun.value, ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) });
}

function parseDryRun(values: readonly Json[]): Outcome<WriteOptions> {
  const given = values.filter((value) => value !== '');
  if (given.every((value) => value === 'All')) return done({ dryRun: given.length > 0 });
  return badRequest(
    `dryRun: Unsupported value: ${JSON.stringify(given).slice(0, 100)}: supported values: "All"`,
  );
}
