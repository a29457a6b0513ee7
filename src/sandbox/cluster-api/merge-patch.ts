import { isObject, type Json, type JsonObject } from './json.ts';

/** Applies a JSON merge patch (RFC 7386): null removes, objects merge, everything else replaces. */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const result: Record<string, Json | undefined> = isObject(target) ? { ...target } : {};
  for (const [field, change] of Object.entries(patch)) {
    if (change === null || change === undefined) delete result[field];
    else result[field] = mergePatch(result[field], change);
  }
  return result satisfies JsonObject;
}
