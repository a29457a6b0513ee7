import { type Logger, pino } from 'pino';
import { type Clock, systemClock } from '../base/clock.ts';
import { createLogWriter } from './log-writer.ts';
import { formatLogfmt } from './logfmt.ts';
import { openStandardError } from './standard-error.ts';

export type { Logger } from 'pino';

/** kiam's names for the levels, which its `--level` flag takes. */
export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

export interface LoggerOptions {
  readonly level: LogLevel;
  /** One JSON object per line instead of `key=value` text. */
  readonly json: boolean;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Where lines go. Default: standard error, which nobody ever waits for (`log-writer.ts`). */
  readonly write?: (line: string) => void;
  /** Told of each line that standard error does not take. */
  readonly onLost?: () => void;
}

/**
 * Fields that would carry a secret, wherever they stand in a log object. Nothing should put them there; this is the
 * second lock.
 */
const secretFields = [
  'secretAccessKey',
  'sessionToken',
  'token',
  'authorization',
  'externalId',
  'SecretAccessKey',
  'Token',
];

/**
 * Makes the logger of a process. Levels are words and times are RFC 3339, as kiam's JSON log has them.
 *
 * @example
 * ```ts
 * const logger = createLogger({ level: 'info', json: true });
 * logger.info({ 'pod.namespace': 'default', 'pod.name': 'web-0' }, 'credentials issued');
 * ```
 */
export function createLogger(options: LoggerOptions): Logger {
  const { level, json, clock = systemClock } = options;
  const out = options.write ? { write: options.write } : writeToStandardError(options, clock, sayLost);
  const stream = json ? out : { write: (line: string) => out.write(formatLogfmt(line)) };
  const logger = pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date(clock.now()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label === 'warn' ? 'warning' : label }) },
      redact: { paths: [...secretFields, ...secretFields.map((field) => `*.${field}`)], censor: '[secret]' },
    },
    stream,
  );
  return logger;

  function sayLost(lost: number): void {
    logger.warn({ lost }, `${lost} lines of this log are lost: nobody read them, or there was no room`);
  }
}

function writeToStandardError(
  { onLost = () => {} }: LoggerOptions,
  clock: Clock,
  onRecovered: (lost: number) => void,
) {
  const writer = createLogWriter({ put: openStandardError(), clock, onLost, onRecovered });
  process.once('exit', writer.flush);
  return writer;
}

/** A logger that writes nothing. */
export function createSilentLogger(): Logger {
  return pino({ level: 'silent' });
}
