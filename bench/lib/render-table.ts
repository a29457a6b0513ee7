import { type Measurement, verdictOf } from './measurement.ts';

export interface TableOptions {
  /** Whether figures are held against their budgets. Default yes. */
  readonly isJudged?: boolean;
  /** A line more under a figure. */
  readonly under?: (measurement: Measurement) => string | undefined;
}

/** The measurements as a table for a terminal, each with what it is to be seen beside on lines of their own. */
export function renderTable(
  measurements: readonly Measurement[],
  { isJudged = true, under = () => undefined }: TableOptions = {},
): string {
  const rows = measurements.map((measurement) => [
    measurement.what,
    withUnit(measurement.value, measurement.unit),
    budgetText(measurement),
    isJudged ? verdictText(measurement) : '',
  ]);
  const head = ['what', 'measured', 'budget', ''];
  const widths = head.map((title, column) =>
    Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0), title.length),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) =>
        column === 1 || column === 2 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  const lines = [
    line(head),
    widths
      .map((width) => '-'.repeat(width))
      .join('  ')
      .trimEnd(),
  ];
  for (const [index, row] of rows.entries()) {
    lines.push(line(row));
    const measurement = measurements[index];
    if (measurement === undefined) continue;
    for (const text of [measurement.beside, under(measurement)])
      if (text !== undefined) lines.push(`    ${text}`);
  }
  return lines.join('\n');
}

/** Three figures that count, no exponent: 0.912, 41.3, 1,234. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return 'none';
  const decimals = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 1 ? 2 : 3;
  const rounded = Number(value.toFixed(decimals));
  return rounded.toLocaleString('en-US', { maximumFractionDigits: decimals });
}

function withUnit(value: number, unit: string): string {
  return unit === '' ? formatNumber(value) : `${formatNumber(value)} ${unit}`;
}

function budgetText({ budget, unit }: Measurement): string {
  if (budget === undefined) return '';
  return 'atMost' in budget ? `<= ${withUnit(budget.atMost, unit)}` : `>= ${withUnit(budget.atLeast, unit)}`;
}

function verdictText(measurement: Measurement): string {
  const verdict = verdictOf(measurement);
  return verdict === 'no budget' ? '' : verdict;
}
