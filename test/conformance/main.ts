// npm run conformance: real AWS clients as pods of podpass. README.md beside this file says how a client is added.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../../src/base/errors.ts';
import { requireVariable } from '../parts/availability.ts';
import { projectRoot } from '../parts/locations.ts';
import type { Scope } from '../parts/scope.ts';
import { buildClient } from './build-client.ts';
import { type Client, findClients, ownClients } from './find-clients.ts';
import { footnoteOf, footnotes } from './footnotes.ts';
import { type ConformanceOptions, choose, conformanceUsage, parseConformanceOptions } from './options.ts';
import { type Column, type Page, readPage, renderPage } from './render-page.ts';
import { renderTerminal } from './render-terminal.ts';
import { attempts, fallsShort, isSlow, type ReadyClient, runAll } from './run-all.ts';
import { type CellReport, podNameOf } from './run-cell.ts';
import type { ScenarioGroup } from './scenario.ts';
import { scenarioGroups, scenarios } from './scenarios.ts';
import { startWorld } from './world.ts';

const results = join(import.meta.dirname, 'results');
const pagePath = join(projectRoot, 'docs', 'conformance.md');

/** Whatever is stuck, these end it: the builds, and the run without them. */
const buildBound = 30 * 60_000;
const runBound = 30 * 60_000;

const say = (text: string) => process.stdout.write(`${text}\n`);

interface Selection {
  readonly clients: readonly Client[];
  readonly groups: readonly ScenarioGroup[];
}

/** @throws Error for a name that is none, and for clients that cannot be used. */
function select(options: ConformanceOptions): Selection {
  const clients = choose('--only', options.only, findClients([ownClients, ...options.folders]));
  const chosen = choose('--scenario', options.scenarios, scenarios);
  const groups = scenarioGroups
    .map((group) => ({ ...group, scenarios: group.scenarios.filter((own) => chosen.includes(own)) }))
    .filter((group) => group.scenarios.length > 0);
  return { clients, groups };
}

async function conformance(
  options: ConformanceOptions,
  { clients, groups }: Selection,
  stopped: AbortSignal,
): Promise<number> {
  if (process.platform !== 'linux')
    throw new Error('pods have addresses in 127.0.0.0/8 here: it needs Linux');
  const ready: ReadyClient[] = [];
  const columns: Column[] = [];
  const building = AbortSignal.any([stopped, AbortSignal.timeout(buildBound)]);
  for (const client of clients) {
    const { title, sdk } = client.manifest;
    // One after the other: each uses all cores.
    const built = await buildClient(client, building);
    if (built.kind === 'missing') {
      say(`${client.name}: not run: ${built.reason}`);
      columns.push({ name: client.name, title, sdk, missing: built.reason });
      continue;
    }
    if (built.millis > 0) say(`${client.name}: built in ${Math.round(built.millis / 1_000)} s`);
    ready.push({ client, command: built.command });
    columns.push({ name: client.name, title, sdk });
  }

  const missing = columns.filter((column) => column.missing !== undefined);
  const isLacking = missing.length > 0 && process.env[requireVariable] === '1';
  if (isLacking) say(`WRONG  ${requireVariable}=1 forbids that a client is not run`);
  if (options.build) return isLacking ? 1 : 0;

  const committed = options.check ? readPage(readFileSync(pagePath, 'utf8')) : undefined;
  function complain(report: CellReport, group: ScenarioGroup): string | undefined {
    if (fallsShort(report, group)) return 'podpass must do better here';
    const title = columns.find(({ name }) => name === report.client)?.title ?? '';
    const was = committed?.get(report.scenario)?.get(title);
    if (committed === undefined || was === report.outcome) return undefined;
    if (scenarios.find(({ name }) => name === report.scenario)?.isTight) {
      say(
        `${report.client}, ${report.scenario}: ${report.outcome}; the committed table says: ${was}. It may, by its times`,
      );
      return undefined;
    }
    return was === undefined ? 'the committed table has no such cell' : `the committed table says: ${was}`;
  }

  const start = performance.now();
  const { reports, repeated, failures, complaints } = await runIn(stopped, {
    ready,
    groups,
    options,
    complain,
  });
  const page: Page = { columns, groups, reports, footnotes, date: new Date().toISOString().slice(0, 10) };
  say(renderTerminal(page));
  const unexplained = reports.filter(
    (report) => report.verdict !== 'good' && footnoteOf(report, footnotes) === undefined,
  );
  for (const { client, scenario, outcome } of unexplained)
    say(`no footnote explains ${client}, ${scenario}: ${outcome}`);
  for (const text of repeated) say(`run again: ${text}`);
  for (const text of [...failures, ...complaints]) say(`WRONG  ${text}`);

  mkdirSync(results, { recursive: true });
  const json = JSON.stringify(
    { at: new Date().toISOString(), columns, reports, repeated, failures, complaints },
    undefined,
    2,
  );
  for (const file of [join(results, 'latest.json'), ...(options.json === undefined ? [] : [options.json])])
    writeFileSync(file, `${json}\n`);

  const isWhole = options.only.length + options.scenarios.length + options.folders.length === 0;
  if (!options.check && isWhole) {
    writeFileSync(pagePath, renderPage(page));
    say('docs/conformance.md is written');
  }
  if (options.check && !options.long) {
    const slow = ready.filter(({ client }) => isSlow(client)).map(({ client }) => client.name);
    const idle = groups.flatMap((group) =>
      group.scenarios.filter(({ isIdle }) => isIdle).map(({ name }) => name),
    );
    if (slow.length * idle.length > 0)
      say(`left out without --long: ${idle.join(', ')} of ${slow.join(', ')}`);
  }
  const seconds = Math.round((performance.now() - start) / 1_000);
  say(`${reports.length} cells in ${seconds} s; clients run: ${ready.length}, not run: ${missing.length}`);
  return failures.length + complaints.length > 0 || isLacking ? 1 : 0;
}

interface RunInOptions {
  readonly ready: readonly ReadyClient[];
  readonly groups: readonly ScenarioGroup[];
  readonly options: ConformanceOptions;
  readonly complain: (report: CellReport, group: ScenarioGroup) => string | undefined;
}

/** Starts a world, runs all cells in it, and ends it, however that goes. */
async function runIn(stopped: AbortSignal, { ready, groups, options, complain }: RunInOptions) {
  const stops: (() => Promise<void>)[] = [];
  const signal = AbortSignal.any([stopped, AbortSignal.timeout(runBound)]);
  const scope: Required<Scope> = { signal, after: (stop) => void stops.push(stop) };
  const home = mkdtempSync(join(tmpdir(), 'podpass-conformance-'));
  const complaints: string[] = [];
  try {
    const names = ready.flatMap(({ client }) =>
      groups.flatMap((group) =>
        group.scenarios.flatMap(({ name }) =>
          Array.from({ length: attempts }, (_, i) => podNameOf(client.name, name, i + 1)),
        ),
      ),
    );
    const world = await startWorld(scope, names);
    const ran = await runAll({
      world,
      home,
      signal,
      clients: ready,
      groups,
      concurrency: options.concurrency,
      quick: options.check && !options.long,
      complain,
      onSetAside: (text) => say(`set aside, to be run again: ${text}`),
      onReport({ client, scenario, outcome, note, millis }, complaint) {
        say(
          `${client.padEnd(12)} ${scenario.padEnd(20)} ${outcome}${note ? ` (${note})` : ''}  ${millis} ms`,
        );
        if (complaint !== undefined) complaints.push(`${client}, ${scenario}: ${outcome}: ${complaint}`);
      },
    });
    return { ...ran, complaints };
  } finally {
    for (const stop of stops.reverse()) await stop();
    rmSync(home, { recursive: true, force: true });
  }
}

async function main(argv: readonly string[]): Promise<number> {
  let options: ConformanceOptions;
  let selection: Selection;
  try {
    options = parseConformanceOptions(argv);
    selection = select(options);
  } catch (error) {
    process.stderr.write(`conformance: ${messageOf(error)}\n${conformanceUsage}`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(conformanceUsage);
    return 0;
  }
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.once(name, () => controller.abort(new Error(`ended by ${name}`)));
  try {
    return await conformance(options, selection, controller.signal);
  } catch (error) {
    process.stderr.write(`conformance: ${messageOf(error)}\n`);
    return 1;
  }
}

process.exit(await main(process.argv.slice(2)));
