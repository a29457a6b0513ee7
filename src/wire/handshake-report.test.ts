import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock } from '../base/fake-clock.ts';
import { createLogger } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { createHandshakeReport } from './handshake-report.ts';

function start(level: 'debug' | 'info' = 'info') {
  const clock = createFakeClock();
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => lines.push(JSON.parse(line));
  const metrics = createMetrics();
  const report = createHandshakeReport({
    clock,
    metrics,
    logger: createLogger({ level, json: true, clock, write }),
  });
  return { clock, lines, metrics, report };
}

describe('the report of refused handshakes', () => {
  it('says who, why and what to do', () => {
    const { lines, report } = start();
    report({ fault: 'wrong-usage', address: '10.0.0.1' });
    assert.equal(lines[0]?.level, 'warning');
    assert.equal(
      lines[0]?.msg,
      'refused the TLS handshake of 10.0.0.1: its certificate is not for clients. Issue it with the extended key usage ' +
        'clientAuth ("client auth")',
    );
  });

  it('says it once for an address and a reason, until some time has passed', async () => {
    const { clock, lines, report } = start();
    for (let i = 0; i < 100; i += 1) report({ fault: 'expired', address: '10.0.0.1' });
    assert.equal(lines.length, 1);
    report({ fault: 'no-certificate', address: '10.0.0.1' });
    report({ fault: 'expired', address: '10.0.0.2' });
    assert.equal(lines.length, 3);
    assert.equal(lines[1]?.notLogged, 99);
    await clock.advance(300_000);
    report({ fault: 'expired', address: '10.0.0.1' });
    assert.equal(lines.length, 4);
  });

  it('says no more in a minute than can be read, however many addresses there are', async () => {
    const { clock, lines, report, metrics } = start();
    for (let i = 0; i < 1_000; i += 1) report({ fault: 'not-tls', address: `10.0.${i >> 8}.${i & 255}` });
    assert.equal(lines.length, 10);
    await clock.advance(60_000);
    report({ fault: 'not-tls', address: '10.1.0.0' });
    assert.equal(lines.length, 11);
    assert.equal(lines[10]?.notLogged, 990);
    const { values } = await metrics.tlsHandshakesRefused.get();
    assert.deepEqual(
      values.map(({ labels, value }) => [labels.reason, value]),
      [['not-tls', 1_001]],
    );
  });

  it('leaves probes of the port to the metric, unless everything is asked for', () => {
    const quiet = start();
    quiet.report({ fault: 'gave-up', address: undefined });
    assert.equal(quiet.lines.length, 0);
    const loud = start('debug');
    loud.report({ fault: 'gave-up', address: undefined });
    assert.match(String(loud.lines[0]?.msg), /of an unknown address: it closed the connection/);
  });

  it('gives the code of what it has no words for', () => {
    const { lines, report } = start();
    report({ fault: 'other', address: '10.0.0.1', code: 'ERR_SSL_STRANGE' });
    assert.match(String(lines[0]?.msg), /the handshake failed \(ERR_SSL_STRANGE\)$/);
  });
});
