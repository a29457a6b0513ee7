import { Agent, request as httpsRequest } from 'node:https';
import { parseAllDocuments } from 'yaml';

export interface ApiRequest {
  /** Sent as JSON, or as it is when it is text. */
  readonly body?: unknown;
  readonly contentType?: string;
  /** Default: the administrator's. */
  readonly token?: string;
  readonly signal?: AbortSignal;
}

export interface ApiResponse {
  readonly status: number;
  /** The parsed JSON, or the text where it is none. */
  readonly body: unknown;
}

/** Talks to a test cluster in plain requests, on purpose without any of the code that is under test. */
export interface ClusterClient {
  request(method: string, path: string, options?: ApiRequest): Promise<ApiResponse>;
  /**
   * Like `request`, for what must succeed.
   *
   * @throws Error with the server's message, for a status of 400 or more.
   */
  must(method: string, path: string, options?: ApiRequest): Promise<Record<string, unknown>>;
  /** Applies each document of a YAML or JSON text, as `kubectl apply --server-side --force-conflicts` does. */
  applyManifest(text: string, namespace?: string): Promise<void>;
  close(): void;
}

const requestBound = 30_000;

export function createClusterClient(url: string, ca: string, adminToken: string): ClusterClient {
  const agent = new Agent({ keepAlive: true, ca });
  const resources = new Map<string, Promise<readonly ApiResource[]>>();

  function request(method: string, path: string, options: ApiRequest = {}): Promise<ApiResponse> {
    const { body, contentType = 'application/json', token = adminToken, signal } = options;
    const timeout = AbortSignal.timeout(requestBound);
    const { promise, resolve, reject } = Promise.withResolvers<ApiResponse>();
    const sent = httpsRequest(new URL(path, url), {
      method,
      agent,
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': contentType }),
      },
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
    sent.once('error', reject);
    sent.once('response', (response) => {
      response.setEncoding('utf8');
      response
        .toArray()
        .then((chunks) => resolve({ status: response.statusCode ?? 0, body: parsed(chunks.join('')) }))
        .catch(reject);
    });
    sent.end(body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body));
    return promise;
  }

  async function must(method: string, path: string, options?: ApiRequest) {
    const { status, body } = await request(method, path, options);
    if (status < 400 && isRecord(body)) return body;
    const message = isRecord(body) && typeof body.message === 'string' ? body.message : String(body);
    throw new Error(`${method} ${path} answered ${status}: ${message}`);
  }

  function resourcesOf(group: string): Promise<readonly ApiResource[]> {
    const known = resources.get(group);
    if (known) return known;
    const asked = must('GET', group).then((list) => list.resources as readonly ApiResource[]);
    resources.set(group, asked);
    // A group that is not there yet (a CustomResourceDefinition applied just now) is asked for again.
    asked.catch(() => resources.delete(group));
    return asked;
  }

  async function apply(manifest: Manifest, namespace: string) {
    const { apiVersion, kind, metadata } = manifest;
    const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const resource = (await resourcesOf(group)).find(
      (candidate) => candidate.kind === kind && !candidate.name.includes('/'),
    );
    if (!resource) throw new Error(`the cluster has no ${kind} in ${apiVersion}`);
    const folder = resource.namespaced
      ? `${group}/namespaces/${metadata.namespace ?? namespace}/${resource.name}`
      : `${group}/${resource.name}`;
    await must('PATCH', `${folder}/${metadata.name}?fieldManager=podpass-test&force=true`, {
      body: JSON.stringify(manifest),
      contentType: 'application/apply-patch+yaml',
    });
  }

  return {
    request,
    must,
    async applyManifest(text, namespace = 'default') {
      for (const document of parseAllDocuments(text)) {
        if (document.errors[0]) throw document.errors[0];
        const manifest: Manifest | null = document.toJS();
        if (manifest !== null) await apply(manifest, namespace);
      }
    },
    close: () => agent.destroy(),
  };
}

interface ApiResource {
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
