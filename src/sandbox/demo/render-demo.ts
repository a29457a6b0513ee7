import type { ClientRun, Verdict } from './judge.ts';

export interface DemoRow {
  readonly verdict: Verdict;
  readonly runs: readonly ClientRun[];
}

const indent = ' '.repeat(7);

/**
 * A table of the demo, as text for a terminal: a line of figures for each pod, and below it what the pod got.
 *
 * @param heading of the column with the pods
 * @param width of the terminal, in characters
 * @param shown rows of a table above: what a pod got there is not shown again
 */
export function renderDemo(
  heading: string,
  rows: readonly DemoRow[],
  width: number,
  shown: readonly DemoRow[] = [],
): string {
  const clients = [...new Set(rows.flatMap(({ runs }) => runs.map(({ client }) => client)))];
  const podWidth = Math.max(heading.length, ...rows.map(({ verdict }) => verdict.pod.length));
  const line = (mark: string, pod: string, cells: readonly string[]) =>
    [mark.padEnd(3), pod.padEnd(podWidth), ...cells.map((cell) => cell.padEnd(12))].join('  ').trimEnd();

  const isShown = ({ pod, got }: Verdict) =>
    shown.some(({ verdict }) => verdict.pod === pod && verdict.got === got);

  const lines = rows.flatMap(({ verdict, runs }) => [
    line(
      verdict.ok ? 'ok' : 'BAD',
      verdict.pod,
      clients.map((name) => describeRun(runs.find(({ client }) => client === name))),
    ),
    ...(isShown(verdict) ? [] : wrap(verdict.got, width - indent.length)).map((text) => indent + text),
    ...verdict.faults.map((fault) => `${indent}WRONG: ${fault}`),
  ]);
  return [line('', heading, clients), ...lines].join('\n');
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
