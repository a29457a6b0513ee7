import type { ClientRun, Verdict } from './judge.ts';

export interface DemoRow {
  readonly verdict: Verdict;
  readonly runs: readonly ClientRun[];
}

const indent = ' '.repeat(7);

/**
 * The demo's table, as text for a terminal: a line of figures for each pod, and below it what the pod got.
 *
 * @param width of the terminal, in characters
 */
export function renderDemo(rows: readonly DemoRow[], width: number): string {
  const clients = [...new Set(rows.flatMap(({ runs }) => runs.map(({ client }) => client)))];
  const podWidth = Math.max(3, ...rows.map(({ verdict }) => verdict.pod.length));
  const line = (mark: string, pod: string, cells: readonly string[]) =>
    [mark.padEnd(3), pod.padEnd(podWidth), ...cells.map((cell) => cell.padEnd(12))].join('  ').trimEnd();

  const lines = rows.flatMap(({ verdict, runs }) => [
    line(
      verdict.ok ? 'ok' : 'BAD',
      verdict.pod,
      clients.map((name) => describeRun(runs.find(({ client }) => client === name))),
    ),
    ...wrap(verdict.got, width - indent.length).map((text) => indent + text),
    ...verdict.faults.map((fault) => `${indent}WRONG: ${fault}`),
  ]);
  return [line('', 'pod', clients), ...lines].join('\n');
}

function describeRun(run: ClientRun | undefined): string {
  if (!run) return '-';
  return `${run.result.kind === 'identity' ? 'role' : 'none'} ${run.millis.toFixed(0)} ms`;
}

/** Breaks text at spaces; a word that is too long stands alone. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
