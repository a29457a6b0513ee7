import type { Clock } from '../../base/clock.ts';
import { readStatusFailure } from '../api-status.ts';
import type { ClusterConnection, Query, StreamEnd } from '../connection.ts';
import { createFakeStream, type FakeStream } from './fake-stream.ts';

/** An object as the API has it. */
export interface RawObject {
  readonly metadata: {
    readonly uid: string;
    readonly name: string;
    readonly namespace?: string;
    readonly resourceVersion: string;
    readonly [key: string]: unknown;
  };
  readonly [key: string]: unknown;
}

export interface FakeRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export type FakeAnswer =
  | { readonly kind: 'json'; readonly status: number; readonly body: unknown; readonly retryAfter?: string }
  | { readonly kind: 'stream'; readonly stream: FakeStream }
  /** No answer, and never will be. */
  | { readonly kind: 'hang' }
  | { readonly kind: 'unreachable'; readonly message: string };

export interface FakeClusterOptions {
  readonly clock: Clock;
  /** What a streamed list is answered with. Default `serve`. `error-event` is what an API server on an old etcd does. */
  readonly listStreaming?: 'serve' | 'invalid' | 'error-event' | 'ignore';
  /** Objects on a page, however many are asked for. Default: as asked. */
  readonly maxPage?: number;
}

/** A cluster's API in memory: lists, pages, watches and streamed lists of any resource, and whatever can go wrong. */
export interface FakeCluster {
  /** Speaks to the cluster without a network. */
  readonly connection: ClusterConnection;
  /** Answers one request; for a server that puts the cluster on the network. */
  answer(request: FakeRequest): FakeAnswer;
  /** Creates or changes an object; a new one gets a new UID. Returns it as stored. */
  put(
    path: string,
    object: { readonly name: string; readonly namespace?: string; readonly [key: string]: unknown },
  ): RawObject;
  delete(path: string, namespace: string, name: string): void;
  objects(path: string): RawObject[];
  /** Every request so far. */
  readonly requests: FakeRequest[];
  /** May answer in the cluster's place. */
  intercept: ((request: FakeRequest) => FakeAnswer | undefined) | undefined;
  /** May repeat, drop or reorder the lines of a watch; each call has one new event. */
  mangle: ((lines: readonly unknown[]) => readonly unknown[]) | undefined;
  /** Ends every open watch. */
  endWatches(end: StreamEnd): void;
  /** Sends a line on every open watch. */
  sendRaw(line: unknown): void;
  bookmark(path: string): void;
  /** Forgets what happened: watches and list pages from before are answered with 410. */
  compact(): void;
  readonly openWatches: number;
  readonly resourceVersion: string;
}

interface Change {
  readonly version: number;
  readonly path: string;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: RawObject;
}

export function createFakeCluster({
  clock,
  listStreaming = 'serve',
  maxPage,
}: FakeClusterOptions): FakeCluster {
  const tables = new Map<string, Map<string, RawObject>>();
  const requests: FakeRequest[] = [];
  let history: Change[] = [];
  let watches: { path: string; selector: string | undefined; stream: FakeStream }[] = [];
  let version = 100;
  let compactedAt = 0;
  let uids = 0;

  function table(path: string): Map<string, RawObject> {
    let found = tables.get(path);
    if (!found) {
      found = new Map();
      tables.set(path, found);
    }
    return found;
  }

  function listed(path: string, selector: string | undefined): RawObject[] {
    return [...table(path).values()].filter((object) => selects(selector, object));
  }

  function happen(path: string, type: Change['type'], object: RawObject): void {
    history.push({ version, path, type, object });
    const line = { type, object };
    const lines = fake.mangle ? fake.mangle([line]) : [line];
    watches = watches.filter(({ stream }) => !stream.ended);
    for (const watch of watches) {
      if (watch.path === path && selects(watch.selector, object))
        for (const sent of lines) watch.stream.send(sent);
    }
  }

  function list({ path, query }: FakeRequest): FakeAnswer {
    const all = listed(path, query.fieldSelector);
    const limit =
      Math.min(Number(query.limit ?? all.length), maxPage ?? Number.POSITIVE_INFINITY) || all.length;
    const [at, from] = (query.continue ?? `${version}:0`).split(':').map(Number) as [number, number];
    if (at < compactedAt) return status(410, 'Expired', 'The provided continue parameter is too old');
    const items = all.slice(from, from + limit);
    const more = from + items.length < all.length;
    const metadata = {
      resourceVersion: String(at),
      ...(more && { continue: `${at}:${from + items.length}` }),
    };
    return { kind: 'json', status: 200, body: { kind: 'List', metadata, items } };
  }

  function watch({ path, query }: FakeRequest): FakeAnswer {
    const stream = createFakeStream();
    const selector = query.fieldSelector;
    if (query.sendInitialEvents === 'true') {
      if (listStreaming === 'invalid')
        return status(422, 'Invalid', 'sendInitialEvents is forbidden for watch');
      if (listStreaming === 'error-event') {
        stream.send({
          type: 'ERROR',
          object: { kind: 'Status', code: 500, message: 'RequestWatchProgress is disabled' },
        });
        stream.end('closed');
        return { kind: 'stream', stream };
      }
      for (const object of listed(path, selector)) stream.send({ type: 'ADDED', object });
      if (listStreaming === 'serve') stream.send(bookmarkLine(version, true));
    } else {
      const from = Number(query.resourceVersion);
      if (from < compactedAt) return status(410, 'Expired', `too old resource version: ${from}`);
      for (const change of history) {
        if (change.path === path && change.version > from && selects(selector, change.object)) {
          stream.send({ type: change.type, object: change.object });
        }
      }
    }
    watches.push({ path, selector, stream });
    return { kind: 'stream', stream };
  }

  const fake: FakeCluster = {
    connection: createConnection(clock, (request) => fake.answer(request)),
    requests,
    intercept: undefined,
    mangle: undefined,
    answer(request) {
      requests.push(request);
      const taken = fake.intercept?.(request);
      if (taken) return taken;
      if (request.method !== 'GET') return status(405, 'MethodNotAllowed', 'the fake is read-only');
      return request.query.watch === 'true' ? watch(request) : list(request);
    },
    put(path, { name, namespace = '', ...rest }) {
      const objects = table(path);
      const key = `${namespace}/${name}`;
      const previous = objects.get(key);
      version += 1;
      if (!previous) uids += 1;
      const { metadata: more, ...fields } = rest as { metadata?: object };
      const uid = previous?.metadata.uid ?? `uid-${uids}`;
      const object = {
        ...fields,
        metadata: { ...more, uid, name, namespace, resourceVersion: String(version) },
      };
      objects.set(key, object);
      happen(path, previous ? 'MODIFIED' : 'ADDED', object);
      return object;
    },
    delete(path, namespace, name) {
      const previous = table(path).get(`${namespace}/${name}`);
      if (!previous) return;
      table(path).delete(`${namespace}/${name}`);
      version += 1;
      happen(path, 'DELETED', {
        ...previous,
        metadata: { ...previous.metadata, resourceVersion: String(version) },
      });
    },
    objects: (path) => [...table(path).values()],
    endWatches(end) {
      for (const { stream } of watches) stream.end(end);
      watches = [];
    },
    sendRaw(line) {
      for (const { stream } of watches) stream.send(line);
    },
    bookmark(path) {
      for (const watch of watches) if (watch.path === path) watch.stream.send(bookmarkLine(version, false));
    },
    compact() {
      history = [];
      // A version that nothing happened at yet, so that even what is current must be listed again.
      version += 1;
      compactedAt = version;
    },
    get openWatches() {
      return watches.filter(({ stream }) => !stream.ended).length;
    },
    get resourceVersion() {
      return String(version);
    },
  };
  return fake;
}

/** An answer with the API's own kind of refusal. */
export function status(code: number, reason: string, message: string): FakeAnswer {
  return { kind: 'json', status: code, body: { kind: 'Status', apiVersion: 'v1', code, reason, message } };
}

function bookmarkLine(version: number, last: boolean): unknown {
  const annotations = last ? { 'k8s.io/initial-events-end': 'true' } : {};
  return { type: 'BOOKMARK', object: { metadata: { resourceVersion: String(version), annotations } } };
}

function selects(selector: string | undefined, object: RawObject): boolean {
  if (!selector) return true;
  const [field, value] = selector.split('=');
  const spec = object.spec as { nodeName?: string } | undefined;
  return field === 'spec.nodeName' && spec?.nodeName === value;
}

function createConnection(clock: Clock, answer: (request: FakeRequest) => FakeAnswer): ClusterConnection {
  function ask(
    method: string,
    { path, query, accept, body }: { path: string; query?: Query; accept?: string; body?: unknown },
    signal: AbortSignal,
  ): FakeAnswer {
    signal.throwIfAborted();
    const known = Object.entries(query ?? {}).filter(([, value]) => value !== undefined);
    const plain = Object.fromEntries(known.map(([key, value]) => [key, String(value)]));
    const headers = accept ? { accept } : ({} as Record<string, string>);
    return answer({ method, path, query: plain, headers, ...(body !== undefined && { body }) });
  }

  async function hang(millis: number, signal: AbortSignal) {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = clock.setTimer(millis, resolve);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    await promise.finally(() => timer.cancel());
    return { kind: 'unreachable' as const, message: `no answer within ${millis} ms` };
  }

  return {
    server: 'fake',
    async requestJson(request) {
      const given = ask(request.method, request, request.signal);
      // Later, but in the same turn of the event loop: a fake clock moves on when a turn is over.
      await Promise.resolve();
      request.signal.throwIfAborted();
      if (given.kind === 'hang') return hang(request.timeoutMillis, request.signal);
      if (given.kind === 'unreachable') return given;
      if (given.kind === 'stream') return { kind: 'unreachable', message: 'a stream is not JSON' };
      if (given.status < 300) return { kind: 'ok', status: given.status, body: structuredClone(given.body) };
      return readStatusFailure(given.body, given.status, given.retryAfter);
    },
    async openStream(request) {
      const given = ask('GET', request, request.signal);
      await Promise.resolve();
      request.signal.throwIfAborted();
      if (given.kind === 'hang') return hang(request.openMillis, request.signal);
      if (given.kind === 'unreachable') return given;
      if (given.kind === 'json') return readStatusFailure(given.body, given.status, given.retryAfter);
      const { silenceMillis, signal } = request;
      return { kind: 'open', items: given.stream.items({ clock, silenceMillis, signal }) };
    },
    close() {},
  };
}
