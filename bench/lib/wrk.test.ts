import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readReport } from './wrk.ts';

const report = (middle: string, p99 = '1.35ms') => `Running 5s test @ http://127.0.0.1:1234/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     0.86ms  120.40us   9.01ms   93.20%
    Req/Sec    74.10k     2.90k   78.00k    88.00%
  Latency Distribution
     50%  850.00us
     75%    0.90ms
     90%    0.95ms
     99%    ${p99}
  368000 requests in 5.00s, 320.00MB read
${middle}Requests/sec:  73600.12
Transfer/sec:     64.00MB
`;

describe('readReport', () => {
  it('takes requests, rate and latencies, in milliseconds', () => {
    const expected = { requests: 368_000, perSecond: 73600.12, p50: 0.85, p99: 1.35 };
    assert.deepEqual(readReport(report('')), expected);
  });

  for (const [text, millis] of [
    ['900.00us', 0.9],
    ['12.50ms', 12.5],
    ['1.10s', 1_100],
    ['1.00m', 60_000],
  ] as const) {
    it(`reads ${text}`, () => assert.equal(readReport(report('', text)).p99.toFixed(6), millis.toFixed(6)));
  }

  for (const line of [
    '  Non-2xx or 3xx responses: 17\n',
    '  Socket errors: connect 0, read 3, write 0, timeout 0\n',
  ])
    it(`does not take ${line.trim().slice(0, 14)}… for speed`, () => {
      assert.throws(() => readReport(report(line)), /met errors/);
    });

  it('is not misled by a deviation of 97.50%', () => {
    assert.equal(readReport(report('').replace('93.20%', '97.50%')).p50, 0.85);
    assert.equal(readReport(report('').replace('93.20%', '99%')).p99, 1.35);
  });

  it('does not make a figure of something else', () => {
    assert.throws(() => readReport('Running 5s test'), /cannot be read/);
    assert.throws(() => readReport(report('', 'fast')), /cannot be read/);
  });
});
