import type { KubeObject } from './objects.ts';
import { parseResourceVersion } from './resource-version.ts';
import type { Resource } from './resources.ts';
import { parseSelection } from './selection.ts';
import { badRequest, done, invalid, type Outcome } from './status.ts';

/** What a watch asks for. */
export interface WatchRequest {
  readonly resource: Resource;
  matches(object: KubeObject): boolean;
  /** Resume after this version. 0: tell of everything that exists, then go on. */
  readonly resourceVersion: number;
  readonly bookmarks: boolean;
  /** WatchList: everything that exists first, ended by a bookmark that says so. */
  readonly initialEvents: boolean;
  /** Absent: the server's choice. */
  readonly timeoutMillis?: number;
}

/** Reads the parameters of a watch. The rules about `sendInitialEvents` are those of KEP-3157. */
export function parseWatchRequest(
  resource: Resource,
  namespace: string | undefined,
  query: URLSearchParams,
): Outcome<WatchRequest> {
  const selection = parseSelection(resource, namespace, query);
  if (selection.kind === 'refused') return selection;
  const version = parseResourceVersion(query.get('resourceVersion') ?? '');
  if (version.kind === 'refused') return version;
  const seconds = query.get('timeoutSeconds') || undefined;
  if (seconds !== undefined && !/^\d{1,9}$/.test(seconds)) {
    return badRequest(`timeoutSeconds is not a number: ${JSON.stringify(seconds.slice(0, 100))}`);
  }
  const initialEvents = isTrue(query.get('sendInitialEvents'));
  const match = query.get('resourceVersionMatch');
  if (query.has('sendInitialEvents') && match !== 'NotOlderThan') {
    const problem = 'Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan';
    return invalid('ListOptions', '', 'resourceVersionMatch', problem);
  }
  if (match && !query.has('sendInitialEvents')) {
    const problem =
      'Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided';
    return invalid('ListOptions', '', 'resourceVersionMatch', problem);
  }
  return done({
    resource,
    matches: selection.value.matches,
    resourceVersion: version.value,
    bookmarks: isTrue(query.get('allowWatchBookmarks')),
    initialEvents,
    ...(Number(seconds ?? 0) > 0 && { timeoutMillis: Number(seconds) * 1_000 }),
  });
}

/** Go's `strconv.ParseBool`, as far as clients use it. */
export function isTrue(text: string | null): boolean {
  return text === 'true' || text === '1';
}
