/** A pod, as far as a log line tells of it. */
export interface LoggedPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly addresses?: readonly string[];
  /** As the annotation has it. */
  readonly role?: string;
}

/**
 * What log lines say of a pod, under kiam's keys. `pod.iam.role` is always a text: kiam's was an object in some lines,
 * which stores of typed logs refuse.
 */
export function podFields({ namespace, name, uid, addresses, role }: LoggedPod) {
  const [address] = addresses ?? [];
  return {
    'pod.namespace': namespace,
    'pod.name': name,
    'pod.uid': uid,
    ...(address === undefined ? {} : { 'pod.status.ip': address }),
    ...(role === undefined ? {} : { 'pod.iam.role': role }),
  };
}

/**
 * What log lines say of a session, under kiam's keys. Never the external id, of which kiam showed the length.
 *
 * @param expiration wall-clock milliseconds
 */
export function credentialFields(
  { roleArn, sessionName }: { readonly roleArn: string; readonly sessionName: string },
  expiration?: number,
) {
  return {
    'credentials.role': roleArn,
    'credentials.session-name': sessionName,
    ...(expiration === undefined ? {} : { 'credentials.expiration': new Date(expiration).toISOString() }),
  };
}
