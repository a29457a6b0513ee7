import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PodpassError } from '../base/errors.ts';
import { createFakeClock } from '../base/fake-clock.ts';
import { createLogger } from '../telemetry/logger.ts';
import { certificateHealth, warnOfExpiry } from './warn-of-expiry.ts';

const day = 86_400_000;

function start(lifeDays: number) {
  const clock = createFakeClock(0);
  const lines: string[] = [];
  const logger = createLogger({
    level: 'info',
    json: true,
    clock,
    write(line) {
      const { level, msg } = JSON.parse(line);
      lines.push(
        `day ${Math.floor(clock.now() / day)} ${level} ${/within (a day|\d+ days)|expired/.exec(msg)?.[0]}`,
      );
    },
  });
  const none = Buffer.alloc(0);
  const set = {
    cert: none,
    key: none,
    ca: none,
    begins: 0,
    expires: lifeDays * day,
    signedByOwnAuthority: true,
  };
  const certificates = { current: set, problem: undefined };
  const stopping = new AbortController();
  warnOfExpiry({ certificates, clock, logger, signal: stopping.signal });
  /** A day in a few steps: there is a timer for each minute. */
  async function pass(days: number): Promise<void> {
    for (let i = 0; i < days; i += 1) await clock.advance(day);
  }
  return { clock, lines, certificates, pass, stop: () => stopping.abort() };
}

describe('a certificate that is about to expire', () => {
  it('is warned of once each: 30 days, 7 days and one before, and when it has', async () => {
    const { lines, pass, stop, clock } = start(100);
    await pass(102);
    assert.deepEqual(lines, [
      'day 70 warning within 30 days',
      'day 93 warning within 7 days',
      'day 99 warning within a day',
      'day 100 error expired',
    ]);
    stop();
    assert.equal(clock.pending, 0);
  });

  it('is not warned of before it should have been renewed', async () => {
    const { lines, pass, certificates } = start(12);
    await pass(8);
    certificates.current = { ...certificates.current, begins: 8 * day, expires: 20 * day };
    await pass(11);
    assert.deepEqual(lines, ['day 19 warning within a day']);
  });

  it('is warned of again after it was replaced', async () => {
    const { lines, pass, certificates } = start(6);
    await pass(5);
    certificates.current = { ...certificates.current, begins: 5 * day, expires: 11 * day };
    await pass(5);
    assert.deepEqual(lines, ['day 5 warning within a day', 'day 10 warning within a day']);
  });

  it('makes a process not ready once it has expired; what is wrong on disk does not', () => {
    const { certificates } = start(10);
    const problem = new PodpassError('ERR_TLS', '--key x is not the key of --cert y');
    assert.deepEqual(certificateHealth({ ...certificates, problem }, createFakeClock(0)), {
      ok: true,
      message: `valid until 1970-01-11T00:00:00.000Z; what is on disk cannot be used: ${problem.message}`,
    });
    const expired = certificateHealth(certificates, createFakeClock(10 * day));
    assert.equal(expired.ok, false);
    assert.match(expired.message, /^expired at 1970-01-11T00:00:00\.000Z: no new connection/);
  });
});
