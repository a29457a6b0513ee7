import { PodpassError } from '../base/errors.ts';
import { type ClusterConnection, describeFailure } from './connection.ts';
import { isJsonObject, member, textMember } from './json-object.ts';
import { maxNameLength } from './project-object.ts';

const askMillis = 10_000;
/** All pods of the host network have the node's address; one is enough, and a few tell whether they agree. */
const mostPods = 10;

/**
 * The name of the node that has an address: that of the pods that have it too, because they share the node's network.
 * The one that asks is among them. Needs the right to list pods.
 *
 * @throws PodpassError ERR_USAGE when it cannot be told; the signal's reason
 */
export async function findNode(
  connection: ClusterConnection,
  address: string,
  signal: AbortSignal,
): Promise<string> {
  const outcome = await connection.requestJson({
    method: 'GET',
    path: '/api/v1/pods',
    query: { fieldSelector: `status.podIP=${address}`, limit: mostPods },
    timeoutMillis: askMillis,
    signal,
  });
  if (outcome.kind !== 'ok') throw unknown(address, describeFailure(outcome));
  const items = member(outcome.body, 'items');
  const names = new Set(
    (Array.isArray(items) ? items : [])
      .map((item) => member(item, 'spec'))
      .filter((spec) => isJsonObject(spec) && spec.hostNetwork === true)
      .map((spec) => textMember(spec, 'nodeName', maxNameLength))
      .filter((name) => name !== ''),
  );
  const [name] = names;
  if (name !== undefined && names.size === 1) return name;
  throw unknown(
    address,
    name === undefined
      ? 'no pod of the host network has it'
      : `pods of several nodes have it: ${[...names].join(', ')}`,
  );
}

function unknown(address: string, problem: string): PodpassError {
  return new PodpassError(
    'ERR_USAGE',
    `neither --node nor NODE_NAME is given, and which node has the address ${address} cannot be told: ${problem}. ` +
      'Set NODE_NAME from spec.nodeName in the manifest.',
  );
}
