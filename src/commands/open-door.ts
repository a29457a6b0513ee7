import { sleep } from '../base/clock.ts';
import type { Broker } from '../broker/broker.ts';
import { compileAllowRoute } from '../metadata/allow-route.ts';
import type { ImdsMode } from '../metadata/metadata-handler.ts';
import { createMetadataServer, defaultLimits } from '../metadata/metadata-server.ts';
import { createTokenSigner } from '../metadata/session-token.ts';
import type { Firewall } from '../node/firewall.ts';
import { countPortListeners } from '../node/port-listeners.ts';
import { connectionsWithin, readOpenFileLimit } from './open-files.ts';
import { createPortHandover } from './port-handover.ts';
import type { ProcessContext } from './process-context.ts';

export interface OpenDoorOptions {
  readonly context: ProcessContext;
  readonly broker: Broker;
  /** Where it listens. All addresses unless given. */
  readonly host: string | undefined;
  readonly port: number;
  readonly imds: ImdsMode;
  readonly podWaitMillis: number;
  /** Other metadata that pods may read, and where it comes from. */
  readonly allowRoute: string;
  readonly metadataEndpoint: string;
  readonly allowIpQuery?: boolean;
  /** What session tokens are signed with: the same for the next process of its kind on this node. */
  readonly tokenKey: Uint8Array;
  /** Whether the pods of the node can be answered for. */
  readonly isReady: () => boolean;
  /** The rule that leads to the door, if this process keeps one. */
  readonly firewall: Firewall | undefined;
  /** Whether the rule goes when the door closes. */
  readonly removesRule: boolean;
}

export interface Door {
  /** Leaves the port without failing anybody, and takes the rule away if that is wished. */
  close(): Promise<void>;
}

/** The longest that the kernels of a busy node take to make a connection. */
const arrivalMillis = 250;

/**
 * Opens the metadata door of a node: at once, or where another process of its kind still has the port, beside it as
 * soon as this one can answer as well. So long the rule is left to an agent on another port. The rule is kept for as
 * long as the process runs.
 *
 * @throws PodpassError ERR_USAGE, ERR_LISTEN
 */
export async function openDoor(options: OpenDoorOptions): Promise<Door> {
  const { context, broker, host, port, firewall } = options;
  const { clock, logger, metrics, health, signal } = context;
  const openFiles = readOpenFileLimit();
  const connections = connectionsWithin(openFiles);
  if (connections < defaultLimits.connections)
    logger.warn(
      { openFiles, connections },
      `this process may open ${openFiles} files, so its door takes ${connections} connections instead of ` +
        `${defaultLimits.connections}: raise the limit (ulimit -n, LimitNOFILE) to ${defaultLimits.connections * 2}`,
    );
  const door = createMetadataServer({
    broker,
    tokenSigner: createTokenSigner({ keys: [options.tokenKey], clock }),
    imds: options.imds,
    podWaitMillis: options.podWaitMillis,
    proxy: {
      allowRoute: await compileAllowRoute(options.allowRoute),
      upstream: options.metadataEndpoint,
    },
    allowIpQuery: options.allowIpQuery ?? false,
    health: () => health.report('ready'),
    liveness: () => health.report('live'),
    limits: { connections },
    metrics,
    logger,
    clock,
  });
  const watching = firewall?.watch(signal);
  const handover = createPortHandover({
    door,
    port,
    host,
    isReady: options.isReady,
    countListeners: countPortListeners,
    firewall,
    clock,
    logger,
    signal,
  });
  await handover.listen();
  await firewall?.takeOver(options.isReady, signal);
  return {
    async close() {
      await watching;
      const isRelieved = options.removesRule && (await firewall?.hasOtherAgent()) === true;
      // Whom another agent answers need not wait for the end of this one, which goes on with what it has.
      if (isRelieved) {
        await firewall?.remove();
        // Who began to connect before that is still to come here.
        await sleep(clock, arrivalMillis, new AbortController().signal);
      }
      await handover.close();
      if (options.removesRule && !isRelieved) await firewall?.remove();
    },
  };
}
