/** What log lines say of a pod, under kiam's keys. */
export function podFields(pod: { readonly namespace: string; readonly name: string; readonly uid: string }) {
  return { 'pod.namespace': pod.namespace, 'pod.name': pod.name, 'pod.uid': pod.uid };
}
