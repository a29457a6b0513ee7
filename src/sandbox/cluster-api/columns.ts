import { humanDuration } from './human-duration.ts';
import { at, type Json, listAt, textAt } from './json.ts';
import type { KubeObject } from './objects.ts';
import { type Resource, resourceKey } from './resources.ts';

/** A column of `kubectl get`. */
export interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer';
  /** 0 is always shown, 1 with `-o wide`. */
  readonly priority: 0 | 1;
  cell(object: KubeObject, now: number): Json;
}

function column(name: string, cell: (object: KubeObject, now: number) => Json, priority: 0 | 1 = 0): Column {
  return { name, type: 'string', priority, cell };
}

const nameColumn = column('Name', ({ metadata }) => metadata.name);
const age = column('Age', ({ metadata }, now) => since(metadata.creationTimestamp, now));

const columns: Readonly<Record<string, readonly Column[]>> = {
  pods: [
    nameColumn,
    column('Ready', podReady),
    column('Status', podStatus),
    column('Restarts', (pod) =>
      String(
        listAt(pod, 'status', 'containerStatuses').reduce<number>(
          (sum, one) => sum + (Number(textAt(one, 'restartCount')) || 0),
          0,
        ),
      ),
    ),
    age,
    column('IP', (pod) => textAt(pod, 'status', 'podIP') || '<none>', 1),
    column('Node', (pod) => textAt(pod, 'spec', 'nodeName') || '<none>', 1),
  ],
  namespaces: [nameColumn, column('Status', (namespace) => textAt(namespace, 'status', 'phase')), age],
  nodes: [
    nameColumn,
    column('Status', (node) => {
      const ready = listAt(node, 'status', 'conditions').find((one) => textAt(one, 'type') === 'Ready');
      return { True: 'Ready', False: 'NotReady' }[textAt(ready, 'status')] ?? 'Unknown';
    }),
    age,
    column('Version', (node) => textAt(node, 'status', 'nodeInfo', 'kubeletVersion') || '<none>'),
  ],
  events: [
    column('Last Seen', (event, now) => {
      const seen = ['lastTimestamp', 'eventTime'].map((field) => textAt(event, field)).find(Boolean);
      return since(seen ?? event.metadata.creationTimestamp, now);
    }),
    column('Type', (event) => textAt(event, 'type')),
    column('Reason', (event) => textAt(event, 'reason')),
    column('Object', (event) => {
      const kind = textAt(event, 'involvedObject', 'kind').toLowerCase();
      return `${kind}/${textAt(event, 'involvedObject', 'name')}`;
    }),
    column('Message', (event) => textAt(event, 'message')),
  ],
  'deployments.apps': [
    nameColumn,
    column('Ready', (deployment) => {
      const wanted = textAt(deployment, 'spec', 'replicas') || '1';
      return `${textAt(deployment, 'status', 'readyReplicas') || '0'}/${wanted}`;
    }),
    age,
  ],
};

/** The columns of a resource; name and age where it has none of its own. */
export function columnsOf(resource: Resource): readonly Column[] {
  return columns[resourceKey(resource)] ?? [nameColumn, age];
}

/** Where nobody keeps the containers' own status, the pod's condition speaks for all of them. */
function podReady(pod: KubeObject): string {
  const all = listAt(pod, 'spec', 'containers').length;
  const statuses = listAt(pod, 'status', 'containerStatuses');
  if (statuses.length > 0) return `${statuses.filter((one) => at(one, 'ready') === true).length}/${all}`;
  const condition = listAt(pod, 'status', 'conditions').find((one) => textAt(one, 'type') === 'Ready');
  return `${textAt(condition, 'status') === 'True' ? all : 0}/${all}`;
}

/** What a person wants to know first: why it does not run, else its phase. */
function podStatus(pod: KubeObject): string {
  if (pod.metadata.deletionTimestamp) return 'Terminating';
  for (const one of listAt(pod, 'status', 'containerStatuses')) {
    const why = textAt(one, 'state', 'waiting', 'reason') || textAt(one, 'state', 'terminated', 'reason');
    if (why) return why;
  }
  return textAt(pod, 'status', 'reason') || textAt(pod, 'status', 'phase') || 'Unknown';
}

function since(time: string, now: number): string {
  const then = Date.parse(time);
  return Number.isNaN(then) ? '<unknown>' : humanDuration(now - then);
}
