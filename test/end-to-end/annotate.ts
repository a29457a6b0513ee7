import type { ClusterClient } from '../parts/cluster-client.ts';

/** Annotations as `kubectl annotate` writes them: `null` takes one away. */
export type AnnotationChanges = Readonly<Record<string, string | null>>;

export const roleKey = 'iam.amazonaws.com/role';
export const permittedKey = 'iam.amazonaws.com/permitted';
export const allowedKey = 'iam.amazonaws.com/allowed-roles';

/** @param path of the object: `/api/v1/namespaces/team` */
async function annotate(
  cluster: Pick<ClusterClient, 'must'>,
  path: string,
  annotations: AnnotationChanges,
): Promise<void> {
  await cluster.must('PATCH', path, {
    body: { metadata: { annotations } },
    contentType: 'application/merge-patch+json',
  });
}

export function annotatePod(
  cluster: Pick<ClusterClient, 'must'>,
  namespace: string,
  name: string,
  annotations: AnnotationChanges,
): Promise<void> {
  return annotate(cluster, `/api/v1/namespaces/${namespace}/pods/${name}`, annotations);
}

export function annotateNamespace(
  cluster: Pick<ClusterClient, 'must'>,
  name: string,
  annotations: AnnotationChanges,
): Promise<void> {
  return annotate(cluster, `/api/v1/namespaces/${name}`, annotations);
}
