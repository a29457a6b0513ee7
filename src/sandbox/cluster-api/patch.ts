import { applyPatch, type Operation } from 'rfc6902';
import { isList, isObject, type Json, type JsonObject } from './json.ts';
import { mergePatch } from './merge-patch.ts';
import { badRequest, done, type Outcome, refused } from './status.ts';
import { strategicMergePatch } from './strategic-merge-patch.ts';

export type PatchKind = 'json' | 'merge' | 'strategic' | 'apply';

const kinds: Readonly<Record<string, PatchKind>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
};

const mostOperations = 10_000;
const operationNames = ['add', 'remove', 'replace', 'move', 'copy', 'test'];

/** What a PATCH request's content type asks for. */
export function patchKindOf(contentType: string): Outcome<PatchKind> {
  const kind = Object.hasOwn(kinds, contentType) ? kinds[contentType] : undefined;
  if (kind) return done(kind);
  const message = `the body of the request was in an unknown format - accepted media types include: ${Object.keys(kinds).join(', ')}`;
  return refused(415, 'UnsupportedMediaType', message);
}

/**
 * The object that a patch makes of the stored one, which stays as it is.
 *
 * Server-side apply is approximate: what is applied is merged in as by a strategic merge, and nobody's ownership of
 * fields is kept. A field that is left out of a later apply therefore stays.
 */
export function applyPatchTo(object: JsonObject, kind: PatchKind, patch: Json): Outcome<Json> {
  if (kind === 'json') return jsonPatch(object, patch);
  if (!isObject(patch)) return badRequest('the patch is not an object');
  return done(kind === 'merge' ? mergePatch(object, patch) : strategicMergePatch(object, patch));
}

function jsonPatch(object: JsonObject, patch: Json): Outcome<Json> {
  if (!isList(patch)) return badRequest('a JSON patch is a list of operations');
  if (patch.length > mostOperations) {
    const message = `The allowed maximum operations in a JSON patch is ${mostOperations}, got ${patch.length}`;
    return refused(413, 'RequestEntityTooLarge', message);
  }
  const broken = patch.findIndex((operation) => !isOperation(operation));
  if (broken >= 0) return badRequest(`operation ${broken} of the JSON patch is not one`);
  const result = structuredClone(object);
  // One at a time: the library goes on after a failure, and a failed `test` must stop what follows it.
  for (const [index, operation] of patch.entries()) {
    const [failure] = applyPatch(result, [operation as unknown as Operation]);
    if (!failure) continue;
    const message = `the server rejected our request due to an error in our request: operation ${index}: ${failure.message}`;
    return refused(422, 'Invalid', message);
  }
  return done(result);
}

function isOperation(operation: Json): boolean {
  if (!isObject(operation) || !operationNames.includes(String(operation.op))) return false;
  return isPointer(operation.path) && (operation.from === undefined || isPointer(operation.from));
}

/** The library skips these tokens, which would make the path mean another place. */
function isPointer(path: Json | undefined): boolean {
  if (typeof path !== 'string' || !path.startsWith('/')) return false;
  return !path.split('/').some((token) => ['__proto__', 'constructor', 'prototype'].includes(token));
}
