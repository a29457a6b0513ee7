// npm test: runs the tests with Node's own runner. `npm test -- --help` has the options.

import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { run } from 'node:test';
import { messageOf } from '../src/base/errors.ts';
import { coverageTable } from './coverage-table.ts';
import { parseTestArguments, type TestArguments, testUsage } from './test-arguments.ts';
import type { TestEvent } from './test-event.ts';
import { findTestFiles } from './test-files.ts';
import { createTestReport } from './test-report.ts';

const root = resolve(import.meta.dirname, '..');

/** Beyond the longest test, this long without a word means that a file does not end. */
const silenceMargin = 30_000;

/** No test sees the AWS of the person who runs it: neither keys nor profiles. */
function hideOwnAws(): void {
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
  process.env.AWS_CONFIG_FILE = '/dev/null';
  process.env.AWS_SHARED_CREDENTIALS_FILE = '/dev/null';
}

async function runTests(args: TestArguments): Promise<number> {
  const files = findTestFiles(root, args.paths);
  hideOwnAws();
  // V8 counts functions that come out of a cache less exactly.
  if (args.coverage) process.env.NODE_DISABLE_COMPILE_CACHE = '1';
  if (args.requireParts) process.env.PODPASS_REQUIRE_PARTS = '1';
  const report = createTestReport({
    root,
    verbose: args.verbose,
    filtered: args.patterns.length > 0,
    colors: process.stdout.isTTY === true && !process.env.NO_COLOR,
    write: (text) => process.stdout.write(text),
  });

  const controller = new AbortController();
  let silent = false;
  const watchdog = setTimeout(() => {
    silent = true;
    controller.abort();
  }, args.timeout + silenceMargin);

  const start = performance.now();
  const stream = run({
    files,
    concurrency: args.concurrency ?? availableParallelism(),
    timeout: args.timeout,
    signal: controller.signal,
    testNamePatterns: [...args.patterns],
    coverage: args.coverage,
    ...(args.coverage
      ? { coverageIncludeGlobs: ['src/**/*.ts'], coverageExcludeGlobs: ['**/*.test.ts', 'src/wire/gen/**'] }
      : {}),
  });
  let coverage = '';
  for await (const event of stream) {
    watchdog.refresh();
    report.handle(event as TestEvent);
    if (event.type === 'test:coverage') coverage = coverageTable(root, event.data.summary.files);
  }
  clearTimeout(watchdog);

  if (coverage !== '') process.stdout.write(`\n${coverage}`);
  const seconds = (performance.now() - start) / 1_000;
  process.stdout.write(`\n${files.length} files in ${seconds.toFixed(1)} s\n`);
  if (silent) {
    process.stdout.write(
      'Stopped: nothing was heard for too long. The files below that were aborted did not end: ',
    );
    process.stdout.write('was a server, a timer or a process left open?\n');
  }
  report.finish();
  const { passed, failed } = report.counts;
  if (passed + failed === 0) process.stdout.write('no test was run\n');
  return failed > 0 || silent || passed === 0 ? 1 : 0;
}

async function main(argv: readonly string[]): Promise<number> {
  try {
    const args = parseTestArguments(argv);
    if (!args.help) return await runTests(args);
    process.stdout.write(testUsage);
    return 0;
  } catch (error) {
    process.stderr.write(`test: ${messageOf(error)}\n`);
    return 2;
  }
}

process.exitCode = await main(process.argv.slice(2));
