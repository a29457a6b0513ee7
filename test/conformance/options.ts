import { parseArgs } from 'node:util';

export interface ConformanceOptions {
  /** Names of clients; none means all. */
  readonly only: readonly string[];
  /** Names of scenarios; none means all. */
  readonly scenarios: readonly string[];
  /** Compares with the committed table instead of writing it. */
  readonly check: boolean;
  /** Builds the clients and runs none. */
  readonly build: boolean;
  /** With `check`: also the cells that wait for minutes. */
  readonly long: boolean;
  /** Folders with further clients. */
  readonly folders: readonly string[];
  readonly json?: string;
  /** Cells at a time. */
  readonly concurrency: number;
  readonly help: boolean;
}

export const conformanceUsage = `usage: npm run conformance [-- OPTIONS]

Runs real AWS clients as pods of podpass and prints what each comes to. Without --only and --scenario the table is
written to docs/conformance.md.

  --only CLIENT       this client alone; may be repeated
  --scenario NAME     this scenario alone; may be repeated
  --build             build the clients, and run none
  --check             compare with docs/conformance.md and write nothing; status 1 where a cell differs
  --long              with --check: also the cells of clients that renew credentials after ten minutes only
  --clients DIR       further clients, each a folder of DIR (test/conformance/README.md); may be repeated
  --json FILE         all that was seen, beside test/conformance/results/latest.json
  --concurrency N     cells at a time (default 4)
  --help              this text

Status 0: all is as it must be. 1: a cell is not, or a client does not run. 2: the options, or a client's manifest, are wrong.
`;

/** @throws Error for what it does not know. */
export function parseConformanceOptions(argv: readonly string[]): ConformanceOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      only: { type: 'string', multiple: true, default: [] },
      scenario: { type: 'string', multiple: true, default: [] },
      check: { type: 'boolean', default: false },
      build: { type: 'boolean', default: false },
      long: { type: 'boolean', default: false },
      clients: { type: 'string', multiple: true, default: [] },
      json: { type: 'string' },
      concurrency: { type: 'string', default: '4' },
      help: { type: 'boolean', default: false },
    },
  });
  const concurrency = Number(values.concurrency);
  if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > 64)
    throw new Error(`--concurrency ${values.concurrency}: a number from 1 to 64 is wanted`);
  return {
    only: values.only,
    scenarios: values.scenario,
    check: values.check,
    build: values.build,
    long: values.long,
    folders: values.clients,
    ...(values.json === undefined ? {} : { json: values.json }),
    concurrency,
    help: values.help,
  };
}

/**
 * Those of some things that are named, in their own order; all where no name is given.
 *
 * @throws Error naming the things there are, for a name that is none.
 */
export function choose<T extends { readonly name: string }>(
  flag: string,
  names: readonly string[],
  things: readonly T[],
): readonly T[] {
  for (const name of names) {
    if (things.some((thing) => thing.name === name)) continue;
    throw new Error(`${flag} ${name}: there are ${things.map((thing) => thing.name).join(', ')}`);
  }
  return names.length === 0 ? things : things.filter(({ name }) => names.includes(name));
}
