import type { ClusterClient } from './cluster-client.ts';

export interface PodOptions {
  readonly name: string;
  readonly namespace?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly serviceAccountName?: string;
  readonly nodeName?: string;
  readonly hostNetwork?: boolean;
  /** Reported as kubelet would: the pod is then Running with this address. */
  readonly podIP?: string;
  /** Further addresses, of a pod with IPv4 and IPv6. */
  readonly morePodIPs?: readonly string[];
  readonly hostIP?: string;
}

/** A pod as the API server answers it; only what tests look at is named. */
export interface CreatedPod {
  readonly metadata: { readonly name: string; readonly uid: string; readonly resourceVersion: string };
}

export interface TokenOptions {
  readonly namespace?: string;
  readonly audiences?: readonly string[];
  /** The API server takes no less than 600. */
  readonly expirationSeconds?: number;
  /** Binds the token to a pod, as a projected volume does. */
  readonly pod?: { readonly name: string; readonly uid: string };
}

/** The objects that tests make again and again. The namespace is `default` where none is named. */
export interface ClusterObjects {
  /** With its service account `default`, which a controller-manager would make and a test cluster has none. */
  createNamespace(name: string, annotations?: Readonly<Record<string, string>>): Promise<void>;
  createServiceAccount(
    name: string,
    namespace?: string,
    annotations?: Readonly<Record<string, string>>,
  ): Promise<void>;
  createPod(options: PodOptions): Promise<CreatedPod>;
  /** What kubelet does: merges into the status. */
  patchPodStatus(namespace: string, name: string, status: object): Promise<CreatedPod>;
  /** At once, as nothing here would end its containers. */
  deletePod(namespace: string, name: string): Promise<void>;
  /** A token of a service account, as the TokenRequest API gives it. */
  tokenFor(serviceAccount: string, options?: TokenOptions): Promise<string>;
}

export function createClusterObjects(client: ClusterClient): ClusterObjects {
  const folder = (namespace: string, resource: string) => `/api/v1/namespaces/${namespace}/${resource}`;

  async function createServiceAccount(
    name: string,
    namespace = 'default',
    annotations: Readonly<Record<string, string>> = {},
  ) {
    await client.must('POST', folder(namespace, 'serviceaccounts'), {
      body: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, annotations } },
    });
  }

  async function patchPodStatus(namespace: string, name: string, status: object) {
    const path = `${folder(namespace, 'pods')}/${name}/status`;
    const contentType = 'application/merge-patch+json';
    return asPod(await client.must('PATCH', path, { body: { status }, contentType }));
  }

  return {
    createServiceAccount,
    patchPodStatus,
    async createNamespace(name, annotations = {}) {
      await client.must('POST', '/api/v1/namespaces', {
        body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name, annotations } },
      });
      await createServiceAccount('default', name);
    },
    async createPod(options) {
      const { name, namespace = 'default', annotations, labels, ...others } = options;
      const { podIP, morePodIPs = [], hostIP, ...spec } = others;
      const pod = asPod(
        await client.must('POST', folder(namespace, 'pods'), {
          body: {
            apiVersion: 'v1',
            kind: 'Pod',
            metadata: { name, annotations, labels },
            spec: { containers: [{ name: 'app', image: 'example.invalid/app' }], ...spec },
          },
        }),
      );
      if (podIP === undefined && hostIP === undefined) return pod;
      return patchPodStatus(namespace, name, {
        phase: 'Running',
        ...(podIP === undefined ? {} : { podIP, podIPs: [podIP, ...morePodIPs].map((ip) => ({ ip })) }),
        ...(hostIP === undefined ? {} : { hostIP, hostIPs: [{ ip: hostIP }] }),
      });
    },
    async deletePod(namespace, name) {
      await client.must('DELETE', `${folder(namespace, 'pods')}/${name}?gracePeriodSeconds=0`);
    },
    async tokenFor(serviceAccount, { namespace = 'default', audiences, expirationSeconds, pod } = {}) {
      const path = `${folder(namespace, 'serviceaccounts')}/${serviceAccount}/token`;
      const boundObjectRef = pod && { apiVersion: 'v1', kind: 'Pod', name: pod.name, uid: pod.uid };
      const answer = await client.must('POST', path, {
        body: {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenRequest',
          spec: { audiences: audiences ?? [], expirationSeconds, boundObjectRef },
        },
      });
      const { token } = answer.status as { token: string };
      return token;
    },
  };
}

function asPod(body: Record<string, unknown>): CreatedPod {
  return body as unknown as CreatedPod;
}
