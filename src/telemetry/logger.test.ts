import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock } from '../base/fake-clock.ts';
import { createLogger } from './logger.ts';

function capture(json: boolean, level: 'debug' | 'info' | 'warn' = 'info') {
  const lines: string[] = [];
  const logger = createLogger({ level, json, clock: createFakeClock(0), write: (line) => lines.push(line) });
  return { logger, lines };
}

describe('logger', () => {
  it('writes JSON with words for levels and RFC 3339 times, as kiam does', () => {
    const { logger, lines } = capture(true);
    logger.warn({ 'pod.name': 'web' }, 'role refused');
    assert.deepEqual(JSON.parse(lines[0] ?? ''), {
      level: 'warning',
      time: '1970-01-01T00:00:00.000Z',
      'pod.name': 'web',
      msg: 'role refused',
    });
  });

  it('writes key=value text otherwise, keys in order', () => {
    const { logger, lines } = capture(false);
    logger.info({ 'pod.name': 'web', note: 'two words', count: 3, ok: true }, 'said');
    assert.equal(
      lines[0],
      'time="1970-01-01T00:00:00.000Z" level=info msg="said" count=3 note="two words" ok=true pod.name=web\n',
    );
  });

  it('leaves out what is below its level', () => {
    const { logger, lines } = capture(true, 'warn');
    logger.info('not this');
    logger.error('this');
    assert.equal(lines.length, 1);
  });

  it('hides secrets, at the top and one level down', () => {
    for (const json of [true, false]) {
      const { logger, lines } = capture(json);
      logger.info(
        { sessionToken: 'S3CRET', credentials: { secretAccessKey: 'S3CRET' }, authorization: 'S3CRET' },
        'x',
      );
      logger.info(
        { identity: { externalId: 'S3CRET' }, body: { Token: 'S3CRET', SecretAccessKey: 'S3CRET' } },
        'x',
      );
      assert.equal(lines.length, 2);
      assert.doesNotMatch(lines.join(''), /S3CRET/);
    }
  });

  it('never lets user-written text break out of its line or reach the terminal raw', () => {
    const { logger, lines } = capture(false);
    logger.info({ role: 'evil\nlevel=error msg="forged"\u001b[31m' }, 'line\nbreak');
    assert.equal(lines.length, 1);
    assert.equal((lines[0] ?? '').indexOf('\n'), (lines[0] ?? '').length - 1);
    assert.ok(!(lines[0] ?? '').includes('\u001b'));
  });

  it('shows errors by their message', () => {
    const { logger, lines } = capture(false);
    logger.error({ err: new Error('cannot connect') }, 'failed');
    assert.match(lines[0] ?? '', /err="cannot connect"/);
  });
});
