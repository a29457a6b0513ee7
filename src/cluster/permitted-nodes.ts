import { sleep } from '../base/clock.ts';
import { describeFailure } from './connection.ts';
import { nodesPath, watchNodes } from './nodes.ts';
import type { Node } from './objects.ts';
import type { ReflectorSettings } from './reflector.ts';
import type { Watch } from './watch.ts';

export interface PermittedNodesOptions extends ReflectorSettings {
  /** Called once, when the watch begins. */
  readonly onWatch: (nodes: Watch<Node>) => void;
}

/** The right is looked for again this often: somebody may have added it. Milliseconds. */
const forbiddenMillis = 600_000;
const failedMillis = 30_000;
const askMillis = 10_000;

/**
 * Watches nodes where that is permitted, until the signal aborts. Where it is not, nothing is wrong: kiam's own
 * manifests do not permit it. That is one line of the log, and no metric of a watch that does not work.
 */
export async function watchPermittedNodes(
  { onWatch, ...settings }: PermittedNodesOptions,
  signal: AbortSignal,
): Promise<void> {
  const { connection, clock, random, logger } = settings;
  let told = false;
  try {
    for (;;) {
      const outcome = await connection.requestJson({
        method: 'GET',
        path: nodesPath,
        query: { limit: 1 },
        timeoutMillis: askMillis,
        signal,
      });
      if (outcome.kind === 'ok') break;
      const isForbidden = outcome.kind === 'status' && outcome.status === 403;
      if (isForbidden && !told) {
        told = true;
        logger.info(
          'nodes may not be read: the nodes of agents are told by the addresses of pods alone. ' +
            'To tell more of them, allow the server to list and watch nodes (deploy/manifests/rbac.yaml).',
        );
      }
      if (!isForbidden) logger.debug(`cannot tell whether nodes may be read: ${describeFailure(outcome)}`);
      await sleep(clock, (isForbidden ? forbiddenMillis : failedMillis) * (1 + random.next() / 5), signal);
    }
    const nodes = watchNodes(settings);
    onWatch(nodes);
    await nodes.run(signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
