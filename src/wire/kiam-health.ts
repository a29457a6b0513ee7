import { bounded } from '../base/bounded.ts';
import { type Clock, sleep } from '../base/clock.ts';
import { PodpassError } from '../base/errors.ts';
import type { HealthStatus } from './gen/kiam.ts';
import type { KiamClient } from './kiam-client.ts';

export interface ServerHealthOptions {
  readonly client: KiamClient;
  readonly clock: Clock;
  /** kiam's `--timeout`: time for all tries together, in milliseconds. */
  readonly timeoutMillis: number;
  readonly signal: AbortSignal;
}

/** As kiam's `health` command has it. Milliseconds. */
const retryMillis = 100;

/**
 * Asks a server, podpass' or kiam's, how it is, again and again until it says that it is well.
 *
 * @returns its message: `ok`
 * @throws PodpassError ERR_SERVER_UNREACHABLE with what the last try came to
 */
export async function getServerHealth({
  client,
  clock,
  timeoutMillis,
  signal,
}: ServerHealthOptions): Promise<string> {
  let problem = 'no answer in time';
  const outcome = await bounded(clock, timeoutMillis, signal, async (both) => {
    for (;;) {
      const answer = await client.call<HealthStatus>((rpc, callback) => rpc.getHealth({}, callback), both);
      if (answer.kind === 'answered') return answer.response.message;
      problem = answer.kind === 'failed' ? answer.error.details : answer.problem;
      await sleep(clock, retryMillis, both);
    }
  });
  if (outcome.kind === 'done') return outcome.value;
  throw new PodpassError(
    'ERR_SERVER_UNREACHABLE',
    `no server said within ${timeoutMillis} ms that it is well: ${problem}. Check --server-address, the certificates, and the server's log.`,
  );
}
