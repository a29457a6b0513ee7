import type { Json, JsonObject } from './json.ts';
import type { ShowOptions } from './representation.ts';
import type { Outcome } from './status.ts';
import type { WatchRequest } from './watch-request.ts';

/** What the API sees of an HTTP request. */
export interface ApiRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly accept: string;
  readonly contentType: string;
  readonly authorization: string;
  /** Reads the body; once. */
  readBody(): Promise<Outcome<Json>>;
}

/** What is answered when nothing stands against it. */
export type Answer =
  | { readonly kind: 'json'; readonly code: number; readonly body: JsonObject; readonly contentType?: string }
  | { readonly kind: 'bytes'; readonly body: string | Uint8Array; readonly contentType: string }
  | { readonly kind: 'watch'; readonly request: WatchRequest; readonly show: ShowOptions };

export function json(body: JsonObject, code = 200): Answer {
  return { kind: 'json', code, body };
}
