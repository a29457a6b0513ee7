import { type Clock, systemClock } from '../base/clock.ts';
import { type Random, systemRandom } from '../base/random.ts';
import { createHealth, type Health } from '../telemetry/health.ts';
import { createLogger, type Logger, type LogLevel } from '../telemetry/logger.ts';
import { createMetrics, type Metrics } from '../telemetry/metrics.ts';
import { startTelemetryServer, type TelemetryServer } from '../telemetry/telemetry-server.ts';
import { settleHiddenClasses } from './hidden-classes.ts';
import { parentSignal, shutdownSignal } from './lifecycle.ts';
import { parseListenAddress } from './listen-address.ts';
import { serveProfiles } from './serve-profiles.ts';
import { version } from './version.ts';

/** What every long-running command has. Made here and passed down: nothing below this room is global. */
export interface ProcessContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly health: Health;
  /** Aborts when the process is asked to end. */
  readonly signal: AbortSignal;
  /** Pages beside metrics and health, as JSON, for callers on loopback alone. Added when there is something to show. */
  readonly localPages: Map<string, () => unknown>;
  /**
   * Says that all is wired and listened on. Until then the process is not ready, whatever its checks say: metrics and
   * health are served from the beginning, when most checks are not even there.
   */
  readonly started: () => void;
  /** Stops serving metrics, health and profiles: the last thing a process does. */
  readonly end: () => Promise<void>;
}

export type ProcessTitle = 'agent' | 'server' | 'standalone';

export interface ProcessFlags {
  readonly jsonLog: boolean;
  readonly level: LogLevel;
  readonly prometheusListenAddr: string | undefined;
  readonly pprofListenAddr: string | undefined;
  readonly untilStdinEnds: boolean;
}

export interface StartOptions {
  /** One line about flags that are not to be given. */
  readonly notice: string | undefined;
  /** The next process of its kind may run beside it, on the same address of metrics and health. Default no. */
  readonly sharesPorts?: boolean;
  /** What must be done before anything else can fail: nothing is listened on until it is done. */
  readonly first?: (basics: Omit<ProcessContext, 'started' | 'end' | 'localPages'>) => Promise<void>;
}

/**
 * Sets up a long-running process: log, metrics, health, and the addresses of metrics and profiles if there are any.
 *
 * @throws PodpassError ERR_USAGE, ERR_LISTEN
 */
export async function startProcess(
  title: ProcessTitle,
  flags: ProcessFlags,
  { notice, first, sharesPorts = false }: StartOptions,
): Promise<ProcessContext> {
  const metrics = createMetrics({ processMetrics: true, process: title });
  const logger = createLogger({
    level: flags.level,
    json: flags.jsonLog,
    clock: systemClock,
    onLost: () => metrics.logLinesLost.inc(),
  });
  const health = createHealth();
  health.add('live', 'process', () => ({ ok: true, message: `podpass ${title} ${version}` }));
  let isStarted = false;
  health.add('ready', 'start', () => ({ ok: isStarted, message: isStarted ? 'done' : 'under way' }));
  logger.info({ version, node: process.versions.node }, `starting ${title}`);
  if (notice !== undefined) logger.warn(notice);
  const basics = {
    clock: systemClock,
    random: systemRandom,
    logger,
    metrics,
    health,
    signal: flags.untilStdinEnds ? parentSignal() : shutdownSignal(),
  };
  await first?.(basics);
  const localPages: ProcessContext['localPages'] = new Map();
  settleHiddenClasses();
  const telemetry = await listen();
  const profiles =
    flags.pprofListenAddr === undefined
      ? undefined
      : await serveProfiles({ address: flags.pprofListenAddr, clock: systemClock, logger });
  return {
    ...basics,
    localPages,
    started() {
      isStarted = true;
    },
    async end() {
      await Promise.all([telemetry?.close(), profiles?.close()]);
      logger.info('stopped');
    },
  };

  async function listen(): Promise<TelemetryServer | undefined> {
    if (flags.prometheusListenAddr === undefined) return undefined;
    const address = parseListenAddress('prometheus-listen-addr', flags.prometheusListenAddr);
    const server = await startTelemetryServer({
      metrics,
      health,
      localPages,
      reusePort: sharesPorts,
      ...address,
    });
    logger.info({ address: `${address.host ?? ''}:${server.port}` }, 'serving metrics and health');
    return server;
  }
}
