import type { Change } from './cluster-api/change-history.ts';
import { textAt } from './cluster-api/json.ts';
import type { DoorsOfPod } from './pod-doors.ts';
import type { Sandbox } from './sandbox.ts';

/** What runs where, and lines to paste, for the person who started a sandbox. */
export function describeSandbox({ urls, kubeconfig, doors, pids }: Sandbox): string {
  const running = doors.list();
  // Of the examples, the one whose namespace permits the role that is suggested below.
  const first = (doors.find('iam-example', 'reportingdb-reader') ?? running[0])?.pod;
  const [namespace, name] = first ? [first.namespace, first.name] : ['NAMESPACE', 'POD'];
  return [
    'What runs where',
    `  cluster API            ${urls.cluster}`,
    `  STS                    ${urls.sts}`,
    `  podpass server         pid ${pids.server}, ${urls.serverTelemetry}/metrics`,
    `  podpass agent          pid ${pids.agent}, ${urls.agent}, ${urls.agentTelemetry}/metrics`,
    `  podpass standalone     pid ${pids.standalone}, ${urls.standalone}, ${urls.standaloneTelemetry}/metrics`,
    `  the node's metadata    ${urls.nodeMetadata}  (what pods must never reach)`,
    '',
    'Pods, and the endpoints at which an AWS client becomes each of them: through the agent, through standalone',
    ...running.map(describeDoors),
    '',
    'Lines to paste into another terminal',
    `  npm run sandbox -- exec ${namespace}/${name} -- aws sts get-caller-identity`,
    `  export KUBECONFIG=${kubeconfig}`,
    '  kubectl get pods -A -w',
    `  kubectl annotate pod -n ${namespace} ${name} iam.amazonaws.com/role=logs-writer --overwrite`,
    '',
    'Changes appear below. Ctrl-C ends everything.',
  ].join('\n');
}

/** Where a pod is, and the endpoints at which an AWS client becomes it. */
export function describeDoors({ pod, split, standalone }: DoorsOfPod): string {
  return `  ${`${pod.namespace}/${pod.name}`.padEnd(36)} ${pod.address.padEnd(12)} ${split.v2}  ${standalone.v2}`;
}

/** What a change of the cluster means to a person who watches podpass: one line for each thing, or none. */
export function describeChange(change: Change): readonly string[] {
  const { resource, object } = change;
  switch (resource.plural) {
    case 'events':
      return [describeEvent(object)];
    case 'pods':
    case 'namespaces':
      return describeObjectChange(change);
    default:
      return [];
  }
}

function describeEvent(event: Change['object']): string {
  const involved = `${textAt(event, 'involvedObject', 'namespace')}/${textAt(event, 'involvedObject', 'name')}`;
  return `event  ${involved} ${textAt(event, 'reason')}: ${textAt(event, 'message')}`;
}

function describeObjectChange({ type, resource, object, previous }: Change): string[] {
  const { namespace, name } = object.metadata;
  const what = `${resource.singular}  ${namespace ? `${namespace}/` : ''}${name}`;
  if (type === 'DELETED') return [`${what} deleted`];
  const lines = type === 'ADDED' ? [`${what} created`] : [];
  const now = object.metadata.annotations ?? {};
  const before = previous?.metadata.annotations ?? {};
  for (const key of new Set([...Object.keys(now), ...Object.keys(before)])) {
    if (!key.startsWith('iam.amazonaws.com/') || now[key] === before[key]) continue;
    // An external id is a secret between two accounts.
    const value = key.endsWith('/external-id') ? '(secret)' : JSON.stringify(now[key] ?? '(removed)');
    lines.push(`${what} ${key}: ${value}`);
  }
  return lines;
}
