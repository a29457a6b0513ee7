// Writes docs/reference/ from the code: flags, metrics and error codes. `npm run generate` calls it;
// test/reference.test.ts fails when what is committed differs.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCodes } from '../src/base/errors.ts';
import { agentFlags } from '../src/commands/agent-flags.ts';
import { environmentName, type Flag, type FlagTable } from '../src/commands/flags.ts';
import { healthFlags } from '../src/commands/health-flags.ts';
import { iamSetupFlags } from '../src/commands/iam-setup-flags.ts';
import { execFlags, sandboxFlags } from '../src/commands/sandbox-flags.ts';
import { serverFlags } from '../src/commands/server-flags.ts';
import { standaloneFlags } from '../src/commands/standalone-flags.ts';
import { type MetricDefinition, metricCatalogue } from '../src/telemetry/metric-catalogue.ts';

const header = '<!-- Written by `npm run generate` from the code. Edit it there. -->\n';

/** Each page of docs/reference/ by its file name. */
export function renderReference(): Readonly<Record<string, string>> {
  return { 'flags.md': renderFlags(), 'metrics.md': renderMetrics(), 'errors.md': renderErrors() };
}

function renderFlags(): string {
  const commands: [string, FlagTable][] = [
    ['podpass agent', agentFlags],
    ['podpass server', serverFlags],
    ['podpass standalone', standaloneFlags],
    ['podpass health', healthFlags],
    ['podpass sandbox', sandboxFlags],
    ['podpass sandbox exec', execFlags],
    ['podpass iam setup', iamSetupFlags],
  ];
  const sections = commands.map(
    ([name, flags]) =>
      `## \`${name}\`\n\n${table(['flag', 'default', 'meaning', 'environment'], Object.values(flags).filter(isCurrent).map(flagRow))}`,
  );
  const old = commands.flatMap(([name, flags]) =>
    Object.values(flags).flatMap((flag) => oldRows(name, flag)),
  );
  return [
    '# Flags',
    header,
    'Durations are written as in Go: `10s`, `500ms`, `1h30m`. A flag without a value can be switched off with `--no-FLAG`;',
    'for `podpass standalone` also with `--FLAG=false`, as with kube2iam.',
    'The command line wins over the environment.\n',
    sections.join('\n'),
    "## Taken for kiam's and kube2iam's sake\n",
    'Flags that kiam or kube2iam has or had and that have another name here, or no effect. A process takes them, checks their values and',
    'says once at its start which it was given.\n',
    table(['command', 'flag', 'default', 'meaning', 'here'], old),
  ].join('\n');
}

function isCurrent({ retired }: Flag<unknown>): boolean {
  return retired === undefined;
}

/** The rows of a flag under each name that is not to be used any more. */
function oldRows(command: string, flag: Flag<unknown>): string[][] {
  const { name, placeholder, help, retired, renamed = [] } = flag;
  const value = placeholder ? ` ${placeholder}` : '';
  const shown = flag.shownDefault ?? String(flag.default ?? '');
  const old = renamed.map((before) => [
    `\`${command}\``,
    `\`--${before}${value}\``,
    '',
    help,
    `is \`--${name}\` now`,
  ]);
  if (retired === undefined) return old;
  const row = [
    `\`${command}\``,
    `\`--${name}${value}\``,
    shown && `\`${shown}\``,
    help,
    `no effect, because ${retired}`,
  ];
  return [row, ...old];
}

function flagRow(flag: Flag<unknown>): string[] {
  const shown = flag.shownDefault ?? (flag.default === undefined ? '' : String(flag.default));
  const names = [environmentName(flag.name), flag.alsoEnv].filter((name) => name !== undefined);
  return [
    `\`--${flag.name}${flag.placeholder ? ` ${flag.placeholder}` : ''}\``,
    flag.required ? 'required' : shown && `\`${shown}\``,
    flag.help,
    names.map((name) => `\`${name}\``).join(', '),
  ];
}

function renderMetrics(): string {
  const definitions: MetricDefinition[] = Object.values(metricCatalogue);
  const rows = definitions.map(({ name, kind, labels, process, help }) => [
    `\`${name}\``,
    kind,
    labels.map((label) => `\`${label}\``).join(', '),
    process === 'both' ? 'agent, server' : process,
    help,
  ]);
  return [
    '# Metrics',
    header,
    "Served as Prometheus text on `--prometheus-listen-addr`, path `/metrics`. Names that begin with `kiam_` are kiam's, and",
    "those with `kube2iam_` kube2iam's, with their labels, so that dashboards and alerts made for them go on working. A",
    'standalone node reports what is said of agent and server, too, but for what is between the two. The usual `process_` and `nodejs_` metrics',
    'come with them.\n',
    table(['metric', 'kind', 'labels', 'process', 'meaning'], rows),
  ].join('\n');
}

function renderErrors(): string {
  const rows = Object.entries(errorCodes).map(([code, meaning]) => [`\`${code}\``, meaning]);
  return [
    '# Error codes',
    header,
    'Errors that end a command, or that a log line carries as `code`. The message beside it says what happened and what to',
    'do; codes never change their meaning.\n',
    table(['code', 'meaning'], rows),
  ].join('\n');
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return `${[line(columns), `|${columns.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n')}\n`;
}

if (import.meta.main) {
  for (const [file, text] of Object.entries(renderReference())) {
    writeFileSync(join(import.meta.dirname, '..', 'docs', 'reference', file), text);
  }
}
