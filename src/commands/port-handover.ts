import { bounded } from '../base/bounded.ts';
import { type Clock, sleep } from '../base/clock.ts';
import type { MetadataServer } from '../metadata/metadata-server.ts';
import type { Firewall } from '../node/firewall.ts';
import type { Logger } from '../telemetry/logger.ts';

export interface PortHandoverOptions {
  readonly door: Pick<MetadataServer, 'listen' | 'close'>;
  readonly port: number;
  readonly host: string | undefined;
  /** Whether this agent can answer for the pods of its node. */
  readonly isReady: () => boolean;
  /** How many sockets of this host listen on a port. */
  readonly countListeners: (port: number) => Promise<number>;
  readonly firewall: Pick<Firewall, 'holdNewcomers'> | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** How one agent takes the port of its node over from another. */
export interface PortHandover {
  /**
   * Listens: at once where nobody does, and beside another agent as soon as this one can answer as well as that one.
   *
   * @throws PodpassError ERR_LISTEN
   */
  readonly listen: () => Promise<number>;
  /** Leaves the port without failing anybody, to the agent beside this one or to the next. */
  readonly close: () => Promise<void>;
}

const pollMillis = 50;
/** The other agent answers meanwhile, and better. */
const longestWait = 30_000;
/** No replacement takes longer, with what Kubernetes gives a pod to end. */
const settledAfter = 120_000;
/**
 * How long requests may go on after the process was asked to end, and how long connections are kept on which none has
 * come. Whoever is alone makes newcomers wait so long; beside another agent nobody waits, and neither a request nor a
 * client that a busy machine makes slow need fail. Kubernetes gives 30 s.
 */
const patience = {
  alone: { graceMillis: 5_000, lingerMillis: 500 },
  accompanied: { graceMillis: 20_000, lingerMillis: 2_000 },
};

export function createPortHandover(options: PortHandoverOptions): PortHandover {
  const { door, port, host, isReady, countListeners, firewall, clock, logger, signal } = options;

  async function warnOfCompany(): Promise<void> {
    await sleep(clock, settledAfter, signal).catch(() => {});
    if (signal.aborted || (await countListeners(port)) < 2) return;
    logger.warn(
      { port },
      'another process still listens on the port, and gets a part of the requests. If it is an agent of an other ' +
        'DaemonSet, remove one of the two.',
    );
  }

  return {
    async listen() {
      const hasCompany = (await countListeners(port)) > 0;
      if (hasCompany) {
        logger.info({ port }, 'an agent listens on the port already; taking over once the pods are known');
        await bounded(clock, longestWait, signal, async (inner) => {
          while (!isReady()) await sleep(clock, pollMillis, inner);
        });
      }
      const address = await door.listen({ port, reusePort: true, ...(host === undefined ? {} : { host }) });
      logger.info({ port: address.port }, `listening ${host ?? ''}:${address.port}`);
      if (hasCompany) void warnOfCompany();
      return address.port;
    },

    async close() {
      // Whoever is alone makes newcomers wait, so that none is being connected in the moment of closing. Beside another
      // agent that would make them wait for nothing.
      const isAlone = (await countListeners(port)) === 1;
      const release = isAlone ? await firewall?.holdNewcomers() : undefined;
      const { graceMillis, lingerMillis } = isAlone ? patience.alone : patience.accompanied;
      await door.close(graceMillis, lingerMillis);
      await release?.();
    },
  };
}
