import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock } from '../base/fake-clock.ts';
import { createLogger, type LogLevel } from '../telemetry/logger.ts';
import { type AccessRecord, createAccessLog } from './access-log.ts';
import { fakeCaller } from './testing/fake-broker.ts';

const record: AccessRecord = {
  method: 'GET',
  path: '/latest/meta-data/iam/security-credentials/reader',
  address: '10.0.0.1',
  status: 200,
  milliseconds: 1.6,
  caller: fakeCaller,
};

function setUp(level: LogLevel = 'debug') {
  const clock = createFakeClock();
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger({ level, json: true, clock, write: (line) => lines.push(JSON.parse(line)) });
  return { clock, lines, log: createAccessLog(logger, clock) };
}

describe('access log', () => {
  it("has kiam's message and fields, and the pod", () => {
    const { lines, log } = setUp();
    log.write(record);
    assert.deepEqual(lines, [
      {
        level: 'debug',
        time: '2026-01-01T00:00:00.000Z',
        msg: 'processed request',
        method: 'GET',
        path: record.path,
        addr: '10.0.0.1',
        status: 200,
        duration: 2,
        'pod.namespace': 'shop',
        'pod.name': 'web-0',
        'pod.uid': fakeCaller.uid,
      },
    ]);
  });

  it('writes failures at info and the rest at debug', () => {
    const { lines, log } = setUp();
    for (const status of [200, 399, 400, 503]) log.write({ ...record, status });
    assert.deepEqual(
      lines.map(({ level }) => level),
      ['debug', 'debug', 'info', 'info'],
    );
  });

  const wanted: [LogLevel, boolean, boolean][] = [
    ['debug', true, true],
    ['info', false, true],
    ['warn', false, false],
  ];
  for (const [level, success, failure] of wanted) {
    it(`says beforehand what it would write at level ${level}`, () => {
      const { log } = setUp(level);
      assert.equal(log.wants(200), success);
      assert.equal(log.wants(404), failure);
    });
  }

  it('leaves the pod out where it is not known', () => {
    const { lines, log } = setUp();
    log.write({ ...record, caller: undefined });
    assert.deepEqual(
      Object.keys(lines[0] ?? {}).filter((key) => key.startsWith('pod.')),
      [],
    );
  });

  it('bounds and escapes the path, and leaves the query out', () => {
    const { lines, log } = setUp();
    log.write({ ...record, path: '/a?ip=10.0.0.1&secret=1' });
    log.write({ ...record, path: `/${'x'.repeat(5_000)}` });
    log.write({ ...record, path: '/a\u001b[31m\r\nb \u00e9' });
    assert.deepEqual(
      lines.map(({ path }) => path),
      ['/a', `/${'x'.repeat(255)}...`, '/a%1b[31m%0d%0ab%20%e9'],
    );
  });

  it('writes a hundred failures a second at most, and says how many it left out', async () => {
    const { clock, lines, log } = setUp();
    for (let i = 0; i < 250; i += 1) log.write({ ...record, status: 404 });
    assert.equal(lines.length, 100);
    await clock.advance(1_000);
    log.write({ ...record, status: 404 });
    log.write({ ...record, status: 404 });
    assert.equal(lines.length, 102);
    assert.equal(lines[100]?.suppressed, 150);
    assert.equal(lines[101]?.suppressed, undefined);
  });

  it('does not count what went well against that', () => {
    const { lines, log } = setUp();
    for (let i = 0; i < 250; i += 1) log.write(record);
    log.write({ ...record, status: 404 });
    assert.equal(lines.length, 251);
  });
});
