import type { Clock } from '../base/clock.ts';
import type { Broker } from '../broker/broker.ts';
import type { HealthReport } from '../telemetry/health.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { createAccessLog } from './access-log.ts';
import { createHostCheck } from './allowed-hosts.ts';
import { createAnswerReplies } from './answer-reply.ts';
import { createExchangeRunner } from './exchange-runner.ts';
import { createImdsHandler, type ImdsHandler } from './imds-handler.ts';
import { createMetadataHandler, type ImdsMode } from './metadata-handler.ts';
import { createMeter } from './meter.ts';
import { createMetadataProxy, type MetadataProxyOptions } from './proxy.ts';
import type { TokenSigner } from './session-token.ts';

export interface DoorOptions {
  readonly broker: Broker;
  readonly tokenSigner: TokenSigner;
  /** Default `v2-preferred`. */
  readonly imds?: ImdsMode;
  /** How long to hold a request of a pod that is not known yet. Default 800 ms: SDKs wait for one second. */
  readonly podWaitMillis?: number;
  readonly proxy: MetadataProxyOptions;
  /** What `/health` says: the same report as readiness on the telemetry port. */
  readonly health: () => HealthReport;
  /**
   * What `/healthz` says: the same report as liveness on the telemetry port. kube2iam's manifests have kubelet restart
   * whom it fails, so nothing may be in it that a restart does not mend.
   */
  readonly liveness: () => HealthReport;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Names, beside the addresses of the metadata service, that clients may use in their Host header. */
  readonly hostNames?: readonly string[];
  /** Refuse token requests with `X-Forwarded-For`. Default no (`metadata-handler.ts` says why). */
  readonly rejectForwarded?: boolean;
  /** kiam's `--allow-ip-query`. Default no, and never in production: it lets any pod ask for any other's role. */
  readonly allowIpQuery?: boolean;
}

/** The longest that a request may be. */
export interface RequestLimits {
  readonly headerCount: number;
  readonly bodyBytes: number;
}

/** What answers the requests of the door, whatever network they came through. */
export interface Door {
  readonly handle: ImdsHandler;
  /** Ends what goes on behind it. */
  close(): void;
}

/**
 * Puts the door together, but for the socket that it listens on.
 *
 * @param isClosing whether every answer is the last on its connection
 */
export function createDoor(options: DoorOptions, limits: RequestLimits, isClosing: () => boolean): Door {
  const { metrics, logger, clock, podWaitMillis = 800 } = options;
  const proxy = createMetadataProxy({ ...options.proxy, clock, metrics, logger });
  const meter = createMeter(metrics);
  const isAllowedHost = createHostCheck(options.hostNames ?? []);
  const handle = createImdsHandler({
    clock,
    run: createExchangeRunner({
      clock,
      meter,
      logger,
      accessLog: createAccessLog(logger, clock),
      isClosing,
    }),
    metadata: createMetadataHandler({
      broker: options.broker,
      tokenSigner: options.tokenSigner,
      imds: options.imds ?? 'v2-preferred',
      podWaitMillis,
      rejectForwarded: options.rejectForwarded ?? false,
      replies: createAnswerReplies(),
      proxy,
      clock,
      meter,
      onBlocked: () => metrics.metadataProxyBlocked.inc(),
    }),
    isAllowedHost: (host, { socket }) => isAllowedHost(host, socket),
    health: options.health,
    liveness: options.liveness,
    maxHeaderCount: limits.headerCount,
    maxBodyBytes: limits.bodyBytes,
    allowIpQuery: options.allowIpQuery ?? false,
  });
  return { handle, close: () => proxy.close() };
}
