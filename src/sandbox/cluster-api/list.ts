import { formatContinueToken, type ListPosition, parseContinueToken } from './continue-token.ts';
import type { JsonObject } from './json.ts';
import { type ObjectStore, positionOf } from './object-store.ts';
import type { KubeObject } from './objects.ts';
import { parseResourceVersion } from './resource-version.ts';
import type { Resource } from './resources.ts';
import { parseSelection, type Selection } from './selection.ts';
import { badRequest, done, expired, type Outcome, tooLargeResourceVersion } from './status.ts';

/** One page of a list. `metadata` is what goes into the list's own: resource version, how to go on, how many remain. */
export interface Page {
  readonly items: readonly KubeObject[];
  readonly metadata: JsonObject;
}

/**
 * Answers a list request. The pages of one list show one moment: those after the first are made from the snapshot of
 * the first, and refused (410 Expired) once the history does not reach back there.
 */
export function listPage(
  store: ObjectStore,
  resource: Resource,
  namespace: string | undefined,
  query: URLSearchParams,
): Outcome<Page> {
  const selection = parseSelection(resource, namespace, query);
  if (selection.kind === 'refused') return selection;
  const limit = Number(query.get('limit') || 0);
  if (!Number.isSafeInteger(limit) || limit < 0)
    return badRequest(`limit is not a number: ${query.get('limit')}`);
  const start = startOf(store, query);
  if (start.kind === 'refused') return start;
  const { resourceVersion, after } = start.value;
  const snapshot = store.listAt(resource, resourceVersion, namespace);
  if (snapshot.kind === 'refused') {
    if (!query.get('continue')) return snapshot;
    return expired(
      'The provided continue parameter is too old to display a consistent list result. You must start a new list without the continue parameter.',
    );
  }
  const rest = snapshot.value.filter(
    (object) => positionOf(object) > after && selection.value.matches(object),
  );
  return done(pageOf(rest, limit, resourceVersion, selection.value));
}

function pageOf(
  rest: readonly KubeObject[],
  limit: number,
  resourceVersion: number,
  { selective }: Selection,
): Page {
  const items = limit > 0 ? rest.slice(0, limit) : rest;
  const last = items.at(-1);
  const remaining = rest.length - items.length;
  if (!last || remaining === 0) return { items, metadata: { resourceVersion: String(resourceVersion) } };
  const metadata = {
    resourceVersion: String(resourceVersion),
    continue: formatContinueToken({ resourceVersion, after: positionOf(last) }),
    // As in Kubernetes, which does not count what a selector would leave.
    ...(!selective && { remainingItemCount: remaining }),
  };
  return { items, metadata };
}

function startOf(store: ObjectStore, query: URLSearchParams): Outcome<ListPosition> {
  const token = query.get('continue');
  const asked = parseResourceVersion(query.get('resourceVersion') ?? '');
  if (asked.kind === 'refused') return asked;
  if (token) {
    if (asked.value) return badRequest('specifying resource version is not allowed when using continue');
    return parseContinueToken(token);
  }
  const current = store.resourceVersion;
  const match = query.get('resourceVersionMatch') ?? '';
  if (!['', 'Exact', 'NotOlderThan'].includes(match)) {
    return badRequest(`resourceVersionMatch is neither Exact nor NotOlderThan: ${match}`);
  }
  if (asked.value > current) return tooLargeResourceVersion(asked.value, current);
  return done({ resourceVersion: match === 'Exact' ? asked.value : current, after: '' });
}
