import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TestEnd, TestEvent } from './test-event.ts';
import { createTestReport } from './test-report.ts';

function report(options: { verbose?: boolean; filtered?: boolean } = {}) {
  let text = '';
  const write = (more: string) => {
    text += more;
  };
  const made = createTestReport({
    root: '/project',
    write,
    verbose: false,
    filtered: false,
    colors: false,
    ...options,
  });
  return { ...made, handle: made.handle, made, text: () => text };
}

const file = '/project/src/a.test.ts';
const start = (name: string, nesting = 0): TestEvent => ({
  type: 'test:start',
  data: { file, name, nesting },
});
const details = (more: object = {}): TestEnd['details'] => ({ duration_ms: 12.3, type: 'test', ...more });
const pass = (name: string, more: object = {}): TestEvent => ({
  type: 'test:pass',
  data: { file, name, nesting: 0, details: details(), ...more },
});
const fail = (name: string, cause: unknown, more: object = {}): TestEvent => ({
  type: 'test:fail',
  data: {
    file,
    name,
    nesting: 0,
    details: details({ error: new Error('wrapped', { cause }) }),
    ...more,
  },
});
const summary: TestEvent = { type: 'test:summary', data: { file, duration_ms: 1_540 } };
const suite = (error?: object) => ({ details: details({ type: 'suite', ...(error ? { error } : {}) }) });

describe('createTestReport', () => {
  it('writes one line for a file whose tests passed', () => {
    const { handle, made, text } = report();
    for (const event of [start('one'), pass('one'), start('two'), pass('two'), summary]) handle(event);
    made.finish();
    assert.equal(text(), '✔ src/a.test.ts  2 passed  1.5 s\n\n2 passed, 0 failed, 0 skipped\n');
    assert.deepEqual(made.counts, { passed: 2, failed: 0, skipped: 0 });
  });

  it('counts the tests of a suite and not the suite', () => {
    const { handle, made } = report();
    for (const event of [start('suite'), start('one', 1), pass('one', { nesting: 1 })]) handle(event);
    handle(pass('suite', suite()));
    assert.deepEqual(made.counts, { passed: 1, failed: 0, skipped: 0 });
  });

  it('tells once of a test that failed in a suite, by its whole name, with what it threw', () => {
    const { handle, made, text } = report();
    handle(start('suite'));
    handle(start('inner', 1));
    handle(start('one', 2));
    handle(fail('one', new TypeError('no such thing'), { nesting: 2 }));
    const follows = Object.assign(new Error('1 subtest failed'), { failureType: 'subtestsFailed' });
    handle(fail('inner', undefined, { nesting: 1, ...suite(follows) }));
    handle(fail('suite', undefined, suite(follows)));
    handle(summary);
    made.finish();
    assert.match(text(), /^✖ src\/a\.test\.ts {2}1 of 1 failed {2}1\.5 s\n/);
    assert.match(text(), /\n✖ src\/a\.test\.ts > suite > inner > one\n {4}TypeError: no such thing\n/);
    assert.match(text(), /\n0 passed, 1 failed, 0 skipped\n$/);
  });

  it('does not keep the name of a suite that has ended', () => {
    const { handle, made, text } = report();
    handle(start('first'));
    handle(start('in first', 1));
    handle(pass('in first', { nesting: 1 }));
    handle(pass('first', suite()));
    handle(start('second'));
    handle(fail('second', new Error('x')));
    made.finish();
    assert.match(text(), /✖ src\/a\.test\.ts > second\n/);
  });

  it('takes a failing hook of a suite for a failure', () => {
    const { handle, made, text } = report();
    const hook = Object.assign(new Error('failed running before hook', { cause: new Error('no cluster') }), {
      failureType: 'hookFailed',
    });
    handle(start('suite'));
    handle(fail('suite', undefined, suite(hook)));
    made.finish();
    assert.equal(made.counts.failed, 1);
    assert.match(text(), /src\/a\.test\.ts > suite\n {4}Error: no cluster/);
  });

  it('leaves out where in the runner an error passed', () => {
    const { handle, made, text } = report();
    const error = new Error('here');
    error.stack = 'Error: here\n    at mine (/project/src/a.ts:1:1)\n    at run (node:internal/test:2:2)';
    handle(fail('one', error));
    made.finish();
    assert.ok(text().includes('at mine (/project/src/a.ts:1:1)'));
    assert.ok(!text().includes('node:internal'));
  });

  it('lists what was skipped by its reason, a suite as one', () => {
    const { handle, made, text } = report();
    const skip = 'etcd is not built: run "npm run parts"';
    handle(pass('the watch', { skip, ...suite() }));
    handle(pass('the server', { skip, ...suite() }));
    handle(pass('one', { skip: true }));
    handle(fail('later', new Error('x'), { todo: 'not yet' }));
    handle(summary);
    made.finish();
    assert.deepEqual(made.counts, { passed: 0, failed: 0, skipped: 4 });
    assert.equal(
      text(),
      [
        '- src/a.test.ts  0 passed, 4 skipped  1.5 s',
        '',
        'Skipped:',
        '',
        '- etcd is not built: run "npm run parts"',
        '    the watch (src/a.test.ts)',
        '    the server (src/a.test.ts)',
        '',
        '- no reason given',
        '    one (src/a.test.ts)',
        '',
        '- not yet',
        '    later (src/a.test.ts)',
        '',
        '0 passed, 0 failed, 4 skipped',
        '',
      ].join('\n'),
    );
  });

  it('takes a file without a test for a failure', () => {
    const { handle, made, text } = report();
    handle({ type: 'test:pass', data: { file, name: file, nesting: 0, details: details() } });
    made.finish();
    assert.match(
      text(),
      /^✖ src\/a\.test\.ts {2}1 of 1 failed.*\n\nFailed:\n\n✖ src\/a\.test\.ts\n {4}it has no/s,
    );
  });

  it('shows what a file wrote that could not be run, and only the end of it', () => {
    const { handle, made, text } = report();
    for (let n = 1; n <= 100; n++) handle({ type: 'test:stderr', data: { file, message: `line ${n}\n` } });
    handle({
      type: 'test:fail',
      data: { file, name: file, nesting: 0, details: details({ error: new Error('test failed') }) },
    });
    made.finish();
    assert.ok(!text().includes('line 60\n'));
    assert.ok(text().includes('    line 61\n') && text().includes('    line 100\n'));
  });

  it('says nothing of what a file wrote whose tests passed, but under --verbose', () => {
    for (const verbose of [false, true]) {
      const { handle, made, text } = report({ verbose });
      handle({ type: 'test:stdout', data: { file, message: 'noise\n' } });
      handle(pass('one'));
      handle(summary);
      made.finish();
      assert.equal(text().includes('noise'), verbose);
      assert.equal(text().includes('> one  12 ms'), verbose);
    }
  });

  it('passes over a file without a matching test where only some tests were asked for', () => {
    const { handle, made, text } = report({ filtered: true });
    handle({ type: 'test:pass', data: { file, name: file, nesting: 0, details: details() } });
    handle(summary);
    made.finish();
    assert.equal(text(), '\n0 passed, 0 failed, 0 skipped\n');
  });

  it('passes over events that it does not know, and the summary of the whole run', () => {
    const { handle, text } = report();
    handle({ type: 'test:summary', data: { duration_ms: 1 } });
    handle({ type: 'other' });
    assert.equal(text(), '');
  });
});
