import { isList, isObject, type Json, type JsonObject, same, without } from './json.ts';

/**
 * By which field the items of a list are told apart. Kubernetes says so for each list of each type; names of lists
 * mean the same nearly everywhere, so a table by name does. A list that is not here is replaced as a whole.
 */
const mergeKeys: Readonly<Record<string, readonly string[]>> = {
  addresses: ['type'],
  conditions: ['type'],
  containers: ['name'],
  env: ['name'],
  ephemeralContainers: ['name'],
  hostAliases: ['ip'],
  hostIPs: ['ip'],
  imagePullSecrets: ['name'],
  initContainers: ['name'],
  ownerReferences: ['uid'],
  podIPs: ['ip'],
  // A container's, then a service's.
  ports: ['containerPort', 'port'],
  resourceClaims: ['name'],
  secrets: ['name'],
  taints: ['key'],
  topologySpreadConstraints: ['topologyKey'],
  volumeDevices: ['devicePath'],
  volumeMounts: ['mountPath'],
  volumes: ['name'],
  webhooks: ['name'],
};

/** Lists of plain values that are sets. */
const sets = new Set(['finalizers']);

const deleteFromPrimitives = '$deleteFromPrimitiveList/';

/**
 * Applies a strategic merge patch, as near as can be without the types: maps merge, lists of the table above merge
 * by their key, other lists are replaced. `$patch: delete | replace`, `$retainKeys` and `$deleteFromPrimitiveList`
 * are obeyed; `$setElementOrder` is dropped, so that new items come last.
 */
export function strategicMergePatch(target: Json | undefined, patch: JsonObject): JsonObject {
  if (patch.$patch === 'delete') return {};
  if (patch.$patch === 'replace') return without(patch, '$patch');
  const result: Record<string, Json | undefined> = isObject(target) ? { ...target } : {};
  if (isList(patch.$retainKeys)) {
    for (const field of Object.keys(result)) if (!patch.$retainKeys.includes(field)) delete result[field];
  }
  for (const [field, change] of Object.entries(patch)) {
    if (field.startsWith(deleteFromPrimitives)) {
      const list = field.slice(deleteFromPrimitives.length);
      result[list] = subtract(result[list], change);
    } else if (field.startsWith('$')) {
      // $patch, $retainKeys and $setElementOrder/ have no part in the result.
    } else if (change === null || change === undefined) delete result[field];
    else if (isObject(change)) {
      if (change.$patch === 'delete') delete result[field];
      else result[field] = strategicMergePatch(result[field], change);
    } else if (isList(change)) result[field] = mergeLists(field, result[field], change);
    else result[field] = change;
  }
  return result;
}

function mergeLists(field: string, target: Json | undefined, patch: readonly Json[]): Json {
  const present = isList(target) ? target : [];
  if (sets.has(field)) return [...present, ...patch.filter((item) => !present.includes(item))];
  if (patch.some((item) => isObject(item) && item.$patch === 'replace')) {
    return patch.filter((item) => !isObject(item) || item.$patch !== 'replace');
  }
  const keys = mergeKeys[field] ?? [];
  const keyOf = (item: Json) => (isObject(item) ? keys.find((key) => item[key] !== undefined) : undefined);
  if (!patch.every(keyOf)) return patch;
  const result = [...present];
  for (const change of patch) {
    const key = keyOf(change);
    if (!isObject(change) || !key) continue;
    const index = result.findIndex((item) => isObject(item) && same(item[key], change[key]));
    if (change.$patch === 'delete') {
      if (index >= 0) result.splice(index, 1);
    } else if (index >= 0) result[index] = strategicMergePatch(result[index], change);
    else result.push(strategicMergePatch({}, change));
  }
  return result;
}

function subtract(target: Json | undefined, removed: Json | undefined): Json {
  const gone = isList(removed) ? removed : [];
  return (isList(target) ? target : []).filter((item) => !gone.includes(item));
}
