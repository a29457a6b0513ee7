import { createInterner, type Interner } from './interner.ts';
import { isJsonObject, member, textMember } from './json-object.ts';
import type { Pod, PodPhase } from './objects.ts';
import { maxNameLength, projectAnnotations, projectIdentity } from './project-object.ts';
import { createReflector, type ReflectorSettings } from './reflector.ts';
import type { Watch } from './watch.ts';

export interface WatchPodsOptions extends ReflectorSettings {
  /** The annotations that are kept; all others are dropped. */
  readonly keepAnnotations: ReadonlySet<string>;
  /** Only the pods of this node: `spec.nodeName=<node>`. Default: all. */
  readonly nodeName?: string;
}

/**
 * Watches the pods of the cluster, or of one node. Needs the rights to list and watch pods.
 *
 * @example
 * ```ts
 * const pods = watchPods({ connection, keepAnnotations: new Set(['iam.amazonaws.com/role']), ...rest });
 * pods.subscribe(listener);
 * await pods.run(signal);
 * ```
 */
export function watchPods({ keepAnnotations, nodeName, ...settings }: WatchPodsOptions): Watch<Pod> {
  const intern = createInterner();
  return createReflector({
    ...settings,
    resource: { path: '/api/v1/pods', name: 'pods' },
    ...(nodeName && { fieldSelector: `spec.nodeName=${nodeName}` }),
    project: (raw) => projectPod(raw, keepAnnotations, intern),
  });
}

const phases: ReadonlySet<string> = new Set(['Pending', 'Running', 'Succeeded', 'Failed', 'Unknown']);
/** An address of each family is what Kubernetes allows; CNIs have been seen to write more. */
const maxAddresses = 16;
const maxAddressLength = 64;

const asItIs: Interner = (text) => text;
const noAddresses: readonly string[] = Object.freeze([]);

/**
 * What podpass keeps of a pod, or `undefined` when `raw` has no UID, name, namespace or resource version. Anything
 * else that is missing or of another type is taken as not there: a pod is never lost for an odd field.
 */
export function projectPod(
  raw: unknown,
  keepAnnotations: ReadonlySet<string>,
  intern: Interner = asItIs,
): Pod | undefined {
  const identity = projectIdentity(raw, intern);
  if (!identity?.namespace) return undefined;
  const spec = member(raw, 'spec');
  const status = member(raw, 'status');
  const phase = member(status, 'phase');
  return {
    ...identity,
    nodeName: intern(textMember(spec, 'nodeName', maxNameLength)),
    serviceAccountName: intern(textMember(spec, 'serviceAccountName', maxNameLength)),
    phase: isPhase(phase) ? phase : 'Unknown',
    hostNetwork: member(spec, 'hostNetwork') === true,
    terminating: typeof member(member(raw, 'metadata'), 'deletionTimestamp') === 'string',
    podIPs: addresses(status, 'podIPs', 'podIP', asItIs),
    hostIPs: addresses(status, 'hostIPs', 'hostIP', intern),
    annotations: projectAnnotations(raw, keepAnnotations, intern),
  };
}

/** `[{ ip }]` of `plural`; clusters and test set-ups that do not write it have the one of `singular`. */
function addresses(status: unknown, plural: string, singular: string, intern: Interner): readonly string[] {
  const listed = member(status, plural);
  const found: string[] = [];
  if (Array.isArray(listed)) {
    for (const entry of listed.slice(0, maxAddresses)) {
      const ip = isJsonObject(entry) ? textMember(entry, 'ip', maxAddressLength) : '';
      if (ip) found.push(intern(ip));
    }
  }
  if (found.length === 0) {
    const ip = textMember(status, singular, maxAddressLength);
    if (ip) found.push(intern(ip));
  }
  // A copy has room for what is in it; an array that was pushed to has room for sixteen more.
  return found.length === 0 ? noAddresses : [...found];
}

function isPhase(value: unknown): value is PodPhase {
  return typeof value === 'string' && phases.has(value);
}
