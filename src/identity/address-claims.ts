import type { Pod } from '../cluster/objects.ts';
import { canonicalAddress } from './address.ts';

const none: readonly string[] = [];

/**
 * The addresses that a pod owns, canonical, each once, in the order of its status.
 *
 * None: while it is not scheduled, when it is finished (its status keeps an address that another pod may have by
 * now), and when it shares the node's network. Nor does any pod own an address of its node, even if its status says
 * so: mirror pods of static ones and some container runtimes do that, and the node's own processes would be taken
 * for the pod. A terminating pod still runs and keeps its addresses.
 *
 * Loopback is as good as any other: the sandbox's pods live there.
 */
export function claimedAddresses(pod: Pod): readonly string[] {
  if (pod.hostNetwork || pod.nodeName === '' || isFinished(pod) || pod.podIPs.length === 0) return none;
  const ofNode = pod.hostIPs.map(canonicalAddress);
  const claimed: string[] = [];
  for (const text of pod.podIPs) {
    const address = canonicalAddress(text);
    if (address !== undefined && !ofNode.includes(address) && !claimed.includes(address))
      claimed.push(address);
  }
  // A copy has room for what is in it; an array that was pushed to has room for sixteen more.
  return sameTexts(claimed, pod.podIPs) ? pod.podIPs : [...claimed];
}

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, i) => text === b[i]);
}

/** Whether a pod has run to its end: it never runs again, and needs no credentials. */
export function isFinished({ phase }: Pick<Pod, 'phase'>): boolean {
  return phase === 'Succeeded' || phase === 'Failed';
}
