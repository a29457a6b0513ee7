import { isIPv4 } from 'node:net';

/** STS's limit for RoleSessionName. */
const maxLength = 64;

/**
 * The RoleSessionName by kube2iam's rule: the FNV-1a hash (32 bits) of the pod's address as text, in hexadecimal
 * without leading zeros, a hyphen, and what stands behind the last slash of the role's ARN; cut to 64.
 *
 * What IAM allows in a role's name STS allows in a session's.
 *
 * @param address canonical text: `10.0.0.1`.
 * @returns 3 to 64 of `[\w+=,.@-]`.
 */
export function kube2iamSessionName(address: string, roleArn: string): string {
  const name = roleArn.slice(roleArn.lastIndexOf('/') + 1);
  return `${fnv1a(address).toString(16)}-${name}`.slice(0, maxLength);
}

/**
 * The address that kube2iam would have seen: the pod's of IPv4, because it was asked at 169.254.169.254, or else its
 * first. None before the pod has one.
 */
export function sessionAddress(podIPs: readonly string[]): string | undefined {
  return podIPs.find((address) => isIPv4(address)) ?? podIPs[0];
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}
