import { readStatusFailure, type StatusFailure } from './api-status.ts';
import { member, textMember } from './json-object.ts';

/** One line of a watch, of which only the envelope was looked at. */
export type WatchEvent =
  | {
      readonly kind: 'change';
      readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
      readonly object: unknown;
      /** Empty where the object has none. */
      readonly resourceVersion: string;
    }
  /** All up to `resourceVersion` was told. The one that ends a streamed list says so. */
  | { readonly kind: 'bookmark'; readonly resourceVersion: string; readonly endsInitialEvents: boolean }
  /** The API server ends the watch with a reason. */
  | { readonly kind: 'error'; readonly failure: StatusFailure }
  /** Of a type that podpass does not know. */
  | { readonly kind: 'unknown' };

/** The annotation on the bookmark that ends a streamed list (KEP-3157). */
const initialEventsEnd = 'k8s.io/initial-events-end';

/** Reads the envelope of a watch event. Never throws; whatever is no event is `unknown`. */
export function readWatchEvent(line: unknown): WatchEvent {
  const type = member(line, 'type');
  const object = member(line, 'object');
  const metadata = member(object, 'metadata');
  const resourceVersion = textMember(metadata, 'resourceVersion', 128);
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { kind: 'change', type, object, resourceVersion };
    case 'BOOKMARK': {
      const endsInitialEvents = member(member(metadata, 'annotations'), initialEventsEnd) === 'true';
      return { kind: 'bookmark', resourceVersion, endsInitialEvents };
    }
    case 'ERROR':
      return { kind: 'error', failure: readStatusFailure(object) };
    default:
      return { kind: 'unknown' };
  }
}
