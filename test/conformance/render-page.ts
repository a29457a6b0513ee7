import { type Footnote, footnoteOf } from './footnotes.ts';
import type { CellReport } from './run-cell.ts';
import type { ScenarioGroup } from './scenario.ts';

/** A column of the table. */
export interface Column {
  readonly name: string;
  readonly title: string;
  readonly sdk: string;
  /** Why it was not run. */
  readonly missing?: string;
}

export interface Page {
  readonly columns: readonly Column[];
  readonly groups: readonly ScenarioGroup[];
  readonly reports: readonly CellReport[];
  readonly footnotes: readonly Footnote[];
  /** `2026-11-28`. */
  readonly date: string;
}

const notRun = 'not run';

/** docs/conformance.md, whole. */
export function renderPage(page: Page): string {
  const { columns, groups, footnotes, date } = page;
  const used: number[] = [];
  const tables = groups.flatMap((group) => [
    `## ${group.title}`,
    '',
    group.text,
    '',
    row(['', ...columns.map(({ title }) => title)]),
    row(['---', ...columns.map(() => '---')]),
    ...group.scenarios.map(({ name, title }) =>
      row([`\`${name}\` ${title}`, ...columns.map((column) => cellText(page, column, name, used))]),
    ),
    '',
  ]);
  const notes = used.map((index, i) => `${i + 1}. ${footnotes[index]?.text ?? ''}`);
  return [
    '# Conformance of AWS clients',
    '',
    'Real, unmodified AWS clients as pods of podpass: what each comes to, in what podpass does and under faults that',
    'podpass keeps from them. `npm run conformance` runs all of it on loopback and writes this page; no cell is written by',
    `hand. Last run: ${date}.`,
    '',
    row(['client', 'version']),
    row(['---', '---']),
    ...columns.map(({ title, sdk, missing }) =>
      row([title, missing === undefined ? sdk : `${sdk} (not run: ${missing})`]),
    ),
    '',
    'Each cell is a process of its own in a pod of its own, with its defaults and the default chain of credentials. It',
    'calls GetCallerIdentity once under what the row says, and once after; where both fail, once more with a new client',
    'object of the same process (the AWS CLI is a new process for each call). The words:',
    '',
    row(['word', 'meaning']),
    row(['---', '---']),
    ...meanings.map(([word, meaning]) => row([word, meaning])),
    '',
    'Plain words are as good as the row allows. *Slanted* ones are less, and **bold** ones mean that the client is stuck;',
    'both have a footnote. A cell that came out otherwise than it must was run again, alone, twice at most.',
    '',
    ...tables,
    '## Footnotes',
    '',
    ...notes,
    '',
    '[Add a client](../test/conformance/README.md) of your own: it is a folder with a manifest.',
    '',
  ].join('\n');
}

const meanings: readonly (readonly [string, string])[] = [
  ['role', 'the pod’s role in both calls, with a session token'],
  ['role by IMDSv1', 'the same without a session token'],
  ['fails, then role', 'an error in the first call, the role in the second'],
  ['fails, new client gets role', 'errors in both, and the role with a new client object'],
  ['fails, stays without', 'errors in all three: the process has to be restarted'],
  ['role, then fails', 'an error after the role was there'],
  ['keeps old keys', 'no new keys came in the time that was tried'],
  ['–', 'the client cannot do what the row asks for'],
];

function cellText(page: Page, column: Column, scenario: string, used: number[]): string {
  const report = page.reports.find((own) => own.client === column.name && own.scenario === scenario);
  if (report === undefined) return notRun;
  const { outcome, verdict, note } = report;
  const text = note === undefined ? outcome : `${outcome} (${note})`;
  if (verdict === 'good') return text;
  const mark = verdict === 'bad' ? '**' : '*';
  const index = footnoteOf(report, page.footnotes);
  if (index === undefined) return `${mark}${text}${mark}`;
  if (!used.includes(index)) used.push(index);
  return `${mark}${text}${mark} <sup>${used.indexOf(index) + 1}</sup>`;
}

const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;

/** The cells of a page that was written before: by scenario, then by the head of the column. */
export function readPage(text: string): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const cells = new Map<string, ReadonlyMap<string, string>>();
  let heads: readonly string[] = [];
  for (const line of text.split('\n')) {
    if (!line.startsWith('| ') || line.startsWith('| ---')) continue;
    const [first = '', ...others] = line.slice(2, -2).split(' | ');
    const name = /^`([^`]+)`/.exec(first)?.[1];
    if (name === undefined) heads = others;
    else cells.set(name, new Map(others.map((cell, i) => [heads[i] ?? '', plain(cell)])));
  }
  return cells;
}

/** A cell's outcome alone: no mark, note or footnote. */
function plain(cell: string): string {
  return cell
    .replace(/ <sup>\d+<\/sup>$/, '')
    .replaceAll('*', '')
    .replace(/ \(.*\)$/, '')
    .trim();
}
