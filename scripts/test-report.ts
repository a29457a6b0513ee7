import { relative } from 'node:path';
import { inspect } from 'node:util';
import type { TestEvent } from './test-event.ts';

export interface TestReportOptions {
  readonly root: string;
  readonly write: (text: string) => void;
  /** Shows each test and what the files write, as it comes. */
  readonly verbose: boolean;
  readonly colors: boolean;
  /** Only some tests were asked for by name: a file with none of them is then no mistake. */
  readonly filtered: boolean;
}

export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  /** A skipped suite counts as one. */
  readonly skipped: number;
}

/** Renders the events of Node's test runner: a line for each file, then all that failed, then all that was skipped. */
export interface TestReport {
  handle(event: TestEvent): void;
  readonly counts: TestCounts;
  /** Writes what failed, what was skipped and why, and the closing line. */
  finish(): void;
}

interface FileState {
  readonly path: string;
  /** The names of the suites and the test that events are about, by depth. */
  readonly names: string[];
  readonly output: string[];
  passed: number;
  failed: number;
  skipped: number;
  millis: number;
  ended: boolean;
}

interface Failure {
  readonly title: string;
  readonly error: unknown;
  readonly output: readonly string[];
}

const shownOutput = 40;
const shownError = 80;

export function createTestReport({ root, write, verbose, colors, filtered }: TestReportOptions): TestReport {
  const files = new Map<string, FileState>();
  const failures: Failure[] = [];
  const skips = new Map<string, string[]>();
  const counts = { passed: 0, failed: 0, skipped: 0 };

  function fileOf(path: string): FileState {
    let file = files.get(path);
    if (!file) {
      const state = { passed: 0, failed: 0, skipped: 0, millis: 0, ended: false };
      file = { path: relative(root, path), names: [], output: [], ...state };
      files.set(path, file);
    }
    return file;
  }

  function fail(file: FileState, name: string, error: unknown, output: readonly string[] = []) {
    file.failed += 1;
    counts.failed += 1;
    failures.push({ title: [file.path, ...(name === '' ? [] : [name])].join(' > '), error, output });
    if (verbose) write(`  ✖ ${file.path} > ${name}\n`);
  }

  function end(file: FileState) {
    if (file.ended) return;
    file.ended = true;
    const run = file.passed + file.failed;
    if (filtered && run + file.skipped === 0) return;
    const count = file.failed > 0 ? `${file.failed} of ${run} failed` : `${run} passed`;
    const skipped = file.skipped > 0 ? `, ${file.skipped} skipped` : '';
    const mark = file.failed > 0 ? '✖' : run > 0 ? '✔' : '-';
    write(`${mark} ${file.path}  ${count}${skipped}  ${(file.millis / 1_000).toFixed(1)} s\n`);
  }

  function ended(event: TestEvent & { type: 'test:pass' | 'test:fail' }) {
    const { data } = event;
    const file = fileOf(data.file ?? '');
    file.names.length = data.nesting;
    const name = [...file.names, data.name].join(' > ');
    // The file itself is a test to the runner when it has none, or could not be run.
    const isFile = data.nesting === 0 && data.name === data.file;
    const isSuite = data.details.type === 'suite';
    if (isFile) {
      if (filtered && event.type === 'test:pass') return;
      file.millis = data.details.duration_ms;
      const error = event.type === 'test:fail' ? causeOf(data.details.error) : 'it has no test';
      fail(file, '', error, file.output);
      end(file);
    } else if (data.skip !== undefined || data.todo !== undefined) {
      file.skipped += 1;
      counts.skipped += 1;
      const reason = [data.skip, data.todo].find((value) => typeof value === 'string' && value !== '');
      const text = typeof reason === 'string' ? reason : 'no reason given';
      skips.set(text, [...(skips.get(text) ?? []), `${name} (${file.path})`]);
      if (verbose) write(`  - ${file.path} > ${name}\n`);
    } else if (event.type === 'test:fail') {
      const { error } = data.details;
      // A suite fails with its tests, which have been told of; by itself it fails for a hook, or its own code.
      if (error?.failureType !== 'subtestsFailed') fail(file, name, causeOf(error), file.output);
    } else if (!isSuite) {
      file.passed += 1;
      counts.passed += 1;
      if (verbose) write(`  ✔ ${file.path} > ${name}  ${data.details.duration_ms.toFixed(0)} ms\n`);
    }
  }

  function writeFailures() {
    if (failures.length === 0) return;
    write('\nFailed:\n');
    const told = new Set<readonly string[]>();
    for (const { title, error, output } of failures) {
      write(`\n✖ ${title}\n`);
      const text = typeof error === 'string' ? error : inspect(error, { colors, depth: 6 });
      write(indent(withoutRunner(text).slice(0, shownError)));
      // The output belongs to the whole file: once is enough.
      if (output.length === 0 || told.has(output)) continue;
      told.add(output);
      write(`  it wrote:\n${indent(output.join('').trimEnd().split('\n').slice(-shownOutput))}`);
    }
  }

  function writeSkips() {
    if (skips.size === 0) return;
    write('\nSkipped:\n');
    for (const [reason, names] of skips) write(`\n- ${reason}\n${indent(names)}`);
  }

  return {
    counts,
    handle(event) {
      switch (event.type) {
        case 'test:start': {
          const { names } = fileOf(event.data.file ?? '');
          names.length = event.data.nesting;
          names.push(event.data.name);
          return;
        }
        case 'test:pass':
        case 'test:fail':
          ended(event);
          return;
        case 'test:stdout':
        case 'test:stderr':
          if (verbose) write(event.data.message);
          else fileOf(event.data.file).output.push(event.data.message);
          return;
        case 'test:summary':
          // The one without a file is about the whole run.
          if (event.data.file === undefined) return;
          fileOf(event.data.file).millis = event.data.duration_ms;
          end(fileOf(event.data.file));
          return;
        default:
          return;
      }
    },
    finish() {
      writeFailures();
      writeSkips();
      write(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
    },
  };
}

/** What went wrong, without the runner's wrapping around it. */
function causeOf(error: unknown): unknown {
  if (error instanceof Error && error.cause !== undefined) return error.cause;
  return error;
}

function withoutRunner(text: string): string[] {
  return text.split('\n').filter((line) => !/^\s+at .*node:internal\//.test(line));
}

function indent(lines: readonly string[]): string {
  return lines.map((line) => `    ${line}\n`).join('');
}
