import { allFigures, type Figure, type FigureId } from '../figures.ts';
import { peerFigure } from '../peers.ts';
import { formatNumber } from './render-table.ts';
import type { Report } from './report.ts';

/** A part of docs/performance.md that is written by the bench. */
export interface Section {
  readonly begin: string;
  readonly end: string;
}

/** The figures of a run. */
export const figuresSection: Section = { begin: '<!-- figures: begin -->', end: '<!-- figures: end -->' };
/** How cost grows. */
export const scalingSection: Section = { begin: '<!-- scaling: begin -->', end: '<!-- scaling: end -->' };

const head = ['what', 'measured', 'budget', 'kiam', 'kube2iam'];

/** The figures of a run as the table of docs/performance.md; one line for each figure there is, measured or not. */
export function figuresTable(report: Pick<Report, 'measurements'>): string {
  const values = new Map(report.measurements.map((measurement) => [measurement.id, measurement]));
  const rows = allFigures.map((figure) => {
    const measurement = values.get(figure.id);
    const value = measurement === undefined ? 'not measured' : withUnit(measurement.value, figure.unit);
    const missed = measurement?.verdict === 'MISSED' ? ', missed' : '';
    const budget = `${budgetCell(figure)}${missed}`;
    return [figure.what, value, budget, ...peerCells(figure.id)];
  });
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** `at least 0.85 × bare`; empty without a budget. */
export function budgetCell({ budget, unit }: Pick<Figure, 'budget' | 'unit'>): string {
  if (budget === undefined) return '';
  return 'atMost' in budget
    ? `at most ${withUnit(budget.atMost, unit)}`
    : `at least ${withUnit(budget.atLeast, unit)}`;
}

function peerCells(id: FigureId): string[] {
  return [peerFigure(id, 'kiam'), peerFigure(id, 'kube2iam')];
}

function withUnit(value: number, unit: string): string {
  return unit === '' ? formatNumber(value) : `${formatNumber(value)} ${unit}`;
}

/** One line of a table of budgets. */
export interface BudgetLine {
  readonly what: string;
  readonly budget: string;
}

/** The lines of the page's table that have a budget. @throws Error when the page has no such section */
export function budgetsOnPage(page: string): readonly BudgetLine[] {
  return sectionOf(page, figuresSection)
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.slice(2, -2).split(' | '))
    .map(([what = '', , budget = '']) => ({
      what: what.trim(),
      budget: budget.trim().replace(/, missed$/, ''),
    }))
    .filter(({ what, budget }) => what !== 'what' && !/^-+$/.test(what) && budget !== '');
}

/** The page with this in a section. @throws Error when it has no such section */
export function withSection(page: string, section: Section, text: string): string {
  const old = `${section.begin}${sectionOf(page, section)}${section.end}`;
  return page.replace(old, () => `${section.begin}\n\n${text}\n\n${section.end}`);
}

function sectionOf(page: string, { begin, end }: Section): string {
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`the page has no ${begin} … ${end}`);
  return page.slice(from + begin.length, to);
}

/** Where and when a run was, in one sentence for the page. */
export function aboutRun({
  at,
  machine,
  size,
  busy,
}: Pick<Report, 'at' | 'machine' | 'size' | 'busy'>): string {
  const [day = ''] = at.split('T');
  const most = Math.max(0, ...Object.values(busy));
  return (
    `${size === 'whole' ? 'A whole run' : `A ${size} run`} of ${day} at \`${machine.commit}\`: ${machine.cores} cores (${machine.cpu}), ` +
    `${machine.memoryGb} GB, Node ${machine.node.slice(1)}; others used ${Math.round(most)} % of the machine at most.`
  );
}
