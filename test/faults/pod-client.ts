import { setTimeout } from 'node:timers/promises';
import { callerAt, type PodAnswer } from '../end-to-end/ask-agent.ts';
import type { PodRequest } from './history.ts';

export interface PodClientOptions {
  readonly door: string;
  readonly port: number;
  readonly address: string;
  readonly record: (request: PodRequest) => void;
  /** Between two requests. */
  readonly pauseMillis: number;
}

export interface PodClient {
  /** Resolves when the last request is over. */
  stop(): Promise<void>;
}

/** With the rule in place a newcomer waits in its own kernel while nobody listens; without one, here. */
const patienceMillis = 10_000;
const kernelMillis = 50;
const nobody = -1;

/**
 * A pod whose SDK asks for credentials again and again: list, then credentials. A connection that is cut off is tried
 * once more.
 */
export function startPodClient(options: PodClientOptions): PodClient {
  const { door, port, address, record, pauseMillis } = options;
  let stopped = false;

  async function ask(): Promise<PodRequest> {
    const from = performance.now();
    let tries = 1;
    for (;;) {
      const answer = await callerAt(port)
        .ask(address)
        .catch((error: Error): PodAnswer => {
          const isRefused = 'code' in error && error.code === 'ECONNREFUSED';
          return { status: isRefused ? nobody : 0, body: String(error), headers: {}, millis: 0 };
        });
      const { status, credentials, body } = answer;
      const to = performance.now();
      if (status === nobody && to - from < patienceMillis) {
        await setTimeout(kernelMillis);
        continue;
      }
      if (status === 0 && tries === 1) {
        tries = 2;
        continue;
      }
      const request = { door, address, during: { from, to }, tries };
      if (status !== 200) return { ...request, status: Math.max(0, status), body };
      return { ...request, status, accessKeyId: credentials?.AccessKeyId ?? '' };
    }
  }

  const asking = (async () => {
    while (!stopped) {
      record(await ask());
      await setTimeout(pauseMillis);
    }
  })();
  return {
    stop() {
      stopped = true;
      return asking;
    },
  };
}
