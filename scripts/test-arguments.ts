import { parseArgs } from 'node:util';
import { parseDuration } from '../src/base/duration.ts';

export interface TestArguments {
  /** Files, folders or globs, as they were written; none means all tests. */
  readonly paths: readonly string[];
  /** Only tests whose whole name matches one of these. */
  readonly patterns: readonly RegExp[];
  readonly coverage: boolean;
  readonly requireParts: boolean;
  readonly verbose: boolean;
  readonly help: boolean;
  /** Files run at the same time; absent: one for each core. */
  readonly concurrency?: number;
  /** Milliseconds that one test may take. */
  readonly timeout: number;
}

export const testUsage = `usage: npm test [-- OPTIONS FILES]

FILES are test files, folders or globs; without any, all tests run but those with a command of their own
(npm run test:network, npm run test:wire, npm run test:faults).

  --grep PATTERN      only tests whose name matches this regular expression; may be repeated
  --require-parts     fail, instead of skipping, a suite that lacks a real part (also PODPASS_REQUIRE_PARTS=1)
  --coverage          show which share of src was run
  --verbose           show each test, and all that tests write
  --concurrency N     files at the same time (default: one for each core)
  --timeout DURATION  the longest that one test may take (default 2m)
  --help
`;

const defaultTimeout = 120_000;

/** @throws Error saying what is wrong with the command line. */
export function parseTestArguments(argv: readonly string[]): TestArguments {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      grep: { type: 'string', multiple: true, default: [] },
      'require-parts': { type: 'boolean', default: false },
      coverage: { type: 'boolean', default: false },
      verbose: { type: 'boolean', default: false },
      concurrency: { type: 'string' },
      timeout: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  return {
    paths: positionals,
    patterns: values.grep.map((text) => new RegExp(text)),
    coverage: values.coverage,
    requireParts: values['require-parts'],
    verbose: values.verbose,
    help: values.help,
    timeout: values.timeout === undefined ? defaultTimeout : positiveDuration(values.timeout),
    ...(values.concurrency === undefined ? {} : { concurrency: positiveCount(values.concurrency) }),
  };
}

function positiveDuration(text: string): number {
  const millis = parseDuration(text);
  if (millis !== undefined && millis > 0) return millis;
  throw new Error(`--timeout takes a duration such as 30s or 2m, not "${text}"`);
}

function positiveCount(text: string): number {
  if (/^[1-9]\d{0,2}$/.test(text)) return Number(text);
  throw new Error(`--concurrency takes a number from 1 to 999, not "${text}"`);
}
