import type { Clock } from '../base/clock.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { type HandshakeFault, handshakeFaults } from './handshake-fault.ts';

/** A client that was not let in. */
export interface RefusedHandshake {
  readonly fault: HandshakeFault;
  /** Without port: a client that tries on comes from another port each time. */
  readonly address: string | undefined;
  /** The library's code, for what no better word is known for. */
  readonly code?: string;
}

/** Says which handshakes were refused: each in the metric, and as much in the log as a person can read. */
export type ReportHandshake = (refused: RefusedHandshake) => void;

export interface HandshakeReportOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** One line for each address and fault in this time. Milliseconds. */
const quietMillis = 5 * 60_000;
/** Lines in all in a minute: whoever reaches the port can fail handshakes from many addresses. */
const linesPerMinute = 10;
const minuteMillis = 60_000;

export function createHandshakeReport({ clock, logger, metrics }: HandshakeReportOptions): ReportHandshake {
  /** When each was said, oldest first. No longer than the lines of the quiet time. */
  const said = new Map<string, number>();
  let minute = Number.NEGATIVE_INFINITY;
  let lines = 0;
  let unsaid = 0;

  function mayWrite(key: string, now: number): boolean {
    for (const [old, at] of said) {
      if (now - at < quietMillis) break;
      said.delete(old);
    }
    if (said.has(key)) return false;
    if (now - minute >= minuteMillis) {
      minute = now;
      lines = 0;
    }
    if (lines >= linesPerMinute) return false;
    lines += 1;
    said.set(key, now);
    return true;
  }

  return ({ fault, address = 'an unknown address', code }) => {
    metrics.tlsHandshakesRefused.inc({ reason: fault });
    // Probes of the port do this all the time; the metric has them.
    const level = fault === 'gave-up' ? 'debug' : 'warn';
    if (!logger.isLevelEnabled(level)) return;
    if (!mayWrite(`${fault} ${address}`, clock.monotonic())) {
      unsaid += 1;
      return;
    }
    const more = unsaid === 0 ? {} : { notLogged: unsaid };
    unsaid = 0;
    const suffix = fault === 'other' && code ? ` (${code})` : '';
    logger[level](
      { peer: address, reason: fault, ...more },
      `refused the TLS handshake of ${address}: ${handshakeFaults[fault]}${suffix}`,
    );
  };
}
