import { setTimeout } from 'node:timers/promises';
import { callerAt, type PodAnswer, type ServedCredentials } from './ask-agent.ts';

/** A pod that asks, and the index of its node. */
export interface AskingPod {
  readonly podIP: string;
  readonly role: string;
  readonly node: number;
}

export type Load = ReturnType<typeof startLoad>;

/**
 * Who waits longer than this for an answer has been failed. In place one process ends before the next one starts, which
 * takes a second or two, and ten times that where several tests start processes on one core.
 */
const patienceMillis = 30_000;

/** Every pod asks all the time, as one that waits and tries again while there is no answer. */
export function startLoad(pods: readonly AskingPod[], doorOf: (node: number) => number) {
  const failed: string[] = [];
  const served = new Map<string, { readonly role: string; readonly credentials: ServedCredentials }>();
  let stopped = false;
  let answered = 0;
  let retried = 0;
  let longest = 0;

  async function askOnce(node: number, from: string, role: string): Promise<void> {
    const began = performance.now();
    for (;;) {
      const answer = await callerAt(doorOf(node))
        .ask(from)
        .catch(
          (error: Error): PodAnswer => ({ status: 0, body: error.message, headers: {}, role, millis: 0 }),
        );
      const millis = Math.round(performance.now() - began);
      longest = Math.max(longest, millis);
      if (answer.role !== undefined && answer.role !== role)
        failed.push(`${from} got the role ${answer.role}`);
      if (answer.credentials) {
        served.set(`${role} ${answer.credentials.AccessKeyId}`, { role, credentials: answer.credentials });
        answered++;
        return;
      }
      // No connection, or "come again": anything else is final to an SDK.
      const mayTryAgain = (answer.status === 0 || answer.status === 503) && millis < patienceMillis;
      if (!mayTryAgain) {
        failed.push(`${from}: ${answer.status} ${answer.body} after ${millis} ms`);
        return;
      }
      retried++;
      await setTimeout(20);
    }
  }

  const asking = pods.map(async ({ podIP, role, node }) => {
    while (!stopped) {
      await askOnce(node, podIP, role);
      await setTimeout(5);
    }
  });
  return {
    failed,
    /** Each set of credentials once, with the role of the pod that it was given to. */
    served,
    answered: () => answered,
    retried: () => retried,
    longest: () => longest,
    async stop() {
      stopped = true;
      await Promise.all(asking);
    },
  };
}
