import type { Outcome } from './outcome.ts';
import type { Page } from './render-page.ts';

const short: Readonly<Record<Outcome, string>> = {
  role: 'role',
  'role by IMDSv1': 'role v1',
  'fails, then role': 'later',
  'fails, new client gets role': 'anew',
  'fails, stays without': 'NEVER',
  'role, then fails': 'LOST',
  'keeps old keys': 'OLD',
  'another role': 'WRONG',
  hangs: 'HANGS',
  breaks: 'BREAKS',
  '–': '-',
};

const legend =
  'role: at the first call; v1: without a session token. later: at the second. anew: with a new client object.\n' +
  'NEVER: not before the process is restarted. LOST: not any more. OLD: keys that were not renewed.\n' +
  '~: less than can be asked of a client there. docs/conformance.md explains it.';

/** The table for a person's terminal. */
export function renderTerminal({ columns, groups, reports }: Page): string {
  const nameWidth = Math.max(...groups.flatMap(({ scenarios }) => scenarios.map(({ name }) => name.length)));
  const widths = columns.map(({ title }) => Math.max(title.length, 8));
  const line = (head: string, cells: readonly string[]) =>
    [head.padEnd(nameWidth), ...cells.map((cell, i) => cell.padEnd(widths[i] ?? 0))].join('  ').trimEnd();
  const lines = groups.flatMap((group) => [
    '',
    group.title,
    line(
      '',
      columns.map(({ title }) => title),
    ),
    ...group.scenarios.map(({ name }) =>
      line(
        name,
        columns.map((column) => {
          const report = reports.find((own) => own.client === column.name && own.scenario === name);
          if (report === undefined) return 'not run';
          return `${short[report.outcome]}${report.verdict === 'fair' ? ' ~' : ''}`;
        }),
      ),
    ),
  ]);
  return [...lines, '', legend, ''].join('\n');
}
