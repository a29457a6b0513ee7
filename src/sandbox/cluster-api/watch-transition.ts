import type { Change } from './change-history.ts';
import type { KubeObject } from './objects.ts';

/** What one watch is told about one object. */
export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: KubeObject;
}

/**
 * A change as a watch with selectors sees it: an object that begins to match appears, and one that ceases to match
 * is gone. For the latter it gets the object as it last matched, with the version of the change, as Kubernetes does.
 */
export function transition(
  { type, object, previous }: Change,
  matches: (object: KubeObject) => boolean,
): WatchEvent | undefined {
  const before = previous !== undefined && matches(previous);
  const after = type !== 'DELETED' && matches(object);
  if (after) return { type: before ? 'MODIFIED' : 'ADDED', object };
  if (!before) return undefined;
  if (type === 'DELETED') return { type, object };
  const { resourceVersion } = object.metadata;
  return { type: 'DELETED', object: { ...previous, metadata: { ...previous.metadata, resourceVersion } } };
}
