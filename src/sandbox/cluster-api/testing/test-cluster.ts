import type { webcrypto } from 'node:crypto';
import { generateKeyPair } from 'jose';
import { createFakeClock, type FakeClock } from '../../../base/fake-clock.ts';
import { createSeededRandom } from '../../../base/random.ts';
import { type ClusterApi, type ClusterApiOptions, createClusterApi } from '../create-cluster-api.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';

export const adminToken = 'admin-token';

export interface Call {
  readonly body?: Json;
  readonly contentType?: string;
  readonly accept?: string;
  /** Default: the administrator's. Empty: none. */
  readonly token?: string;
}

export interface Called {
  readonly code: number;
  readonly contentType: string;
  readonly body: JsonObject;
}

/** The lines of a watch, one at a time. */
export interface WatchLines {
  readonly code: number;
  /** The next event; `undefined` when the watch has ended. */
  next(): Promise<{ readonly type: string; readonly object: JsonObject } | undefined>;
  close(): void;
}

/** A cluster API on loopback, its clock standing still. */
export interface TestCluster {
  readonly api: ClusterApi;
  readonly clock: FakeClock;
  readonly url: string;
  call(method: string, path: string, call?: Call): Promise<Called>;
  watch(path: string, call?: Call): Promise<WatchLines>;
  close(): Promise<void>;
}

let keys: Promise<webcrypto.CryptoKeyPair> | undefined;

/** One key pair for all tests: to make one takes a tenth of a second. */
export function testSigningKeys(): Promise<webcrypto.CryptoKeyPair> {
  keys ??= generateKeyPair('RS256');
  return keys;
}

export async function startTestCluster(options: Partial<ClusterApiOptions> = {}): Promise<TestCluster> {
  const clock = createFakeClock();
  const random = createSeededRandom(1);
  const signingKeys = await testSigningKeys();
  const api = createClusterApi({ clock, random, adminToken, signingKeys, ...options });
  const { url, close } = await api.listen('127.0.0.1', 0);

  function send(method: string, path: string, call: Call, signal: AbortSignal): Promise<Response> {
    const { body, contentType = 'application/json', accept = 'application/json', token = adminToken } = call;
    return fetch(`${url}${path}`, {
      method,
      headers: {
        accept,
        ...(token && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': contentType }),
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      signal,
    });
  }

  return {
    api,
    clock,
    url,
    close,
    async call(method, path, call = {}) {
      const response = await send(method, path, call, AbortSignal.timeout(10_000));
      const text = await response.text();
      const contentType = response.headers.get('content-type') ?? '';
      const parsed: unknown = contentType.includes('json') ? JSON.parse(text) : { text };
      return { code: response.status, contentType, body: isObject(parsed) ? parsed : {} };
    },
    async watch(path, call = {}) {
      const controller = new AbortController();
      const signal = AbortSignal.any([controller.signal, AbortSignal.timeout(10_000)]);
      const response = await send('GET', path, call, signal);
      const lines = readLines(response);
      return {
        code: response.status,
        close: () => controller.abort(),
        async next() {
          const line = await lines.next();
          return line.done ? undefined : JSON.parse(line.value);
        },
      };
    },
  };
}

async function* readLines(response: Response): AsyncGenerator<string, void> {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}
