import { bounded } from '../base/bounded.ts';
import { type Clock, sleep } from '../base/clock.ts';
import { formatDuration } from '../base/duration.ts';
import { PodpassError } from '../base/errors.ts';
import type { HealthStatus } from './gen/kiam.ts';
import type { KiamClient } from './kiam-client.ts';

export interface ServerHealthOptions {
  readonly client: KiamClient;
  /** Says why no server can be reached, once a try has failed: `undefined` where it cannot tell. */
  readonly explain?: (signal: AbortSignal) => Promise<string | undefined>;
  readonly clock: Clock;
  /** kiam's `--gateway-timeout-creation`: time for connecting, in milliseconds. */
  readonly connectMillis: number;
  /** kiam's `--timeout`: time for all tries to ask after that, in milliseconds. */
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
  explain,
  clock,
  connectMillis,
  timeoutMillis,
  signal,
}: ServerHealthOptions): Promise<string> {
  let problem = 'no answer in time';
  let explained: string | undefined;
  const connection = await bounded(clock, connectMillis, signal, async (both) => {
    for (;;) {
      const refusal = await client.connect(both);
      if (refusal === undefined) return;
      problem = refusal;
      explained ??= await explain?.(both);
      await sleep(clock, retryMillis, both);
    }
  });
  if (connection.kind !== 'done') {
    const bound = `${formatDuration(connectMillis)} (--gateway-timeout-creation)`;
    throw unreachable(`no server could be connected to within ${bound}`);
  }

  problem = 'no answer in time';
  const outcome = await bounded(clock, timeoutMillis, signal, async (both) => {
    for (;;) {
      const answer = await client.call<HealthStatus>((rpc, callback) => rpc.getHealth({}, callback), both);
      if (answer.kind === 'answered') return answer.response.message;
      problem = answer.kind === 'failed' ? answer.error.details : answer.problem;
      if (answer.kind === 'unreachable') explained ??= await explain?.(both);
      await sleep(clock, retryMillis, both);
    }
  });
  if (outcome.kind === 'done') return outcome.value;
  throw unreachable(`no server said within ${formatDuration(timeoutMillis)} (--timeout) that it is well`);

  function unreachable(what: string): PodpassError {
    const why = explained ?? `${problem}. Check --server-address, the certificates, and the server's log`;
    return new PodpassError('ERR_SERVER_UNREACHABLE', `${what}: ${why}.`);
  }
}
