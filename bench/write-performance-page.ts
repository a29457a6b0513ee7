import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  aboutRun,
  figuresSection,
  figuresTable,
  scalingSection,
  withSection,
} from './lib/performance-page.ts';
import type { Report } from './lib/report.ts';
import { latestReport } from './measure-rows.ts';
import { scalingReport } from './scaling/measure-scaling.ts';
import { readScaling } from './scaling/project-scaling.ts';
import { renderProjection, renderSeries } from './scaling/render-scaling.ts';

const page = join(import.meta.dirname, '../docs/performance.md');

/** Puts the latest figures into docs/performance.md. @throws Error when a run is missing or was a smoke test */
export function writePerformancePage(say: (text: string) => void): number {
  const report = readReport();
  const { series, ...scaling } = readScaling(scalingReport);
  const old = readFileSync(page, 'utf8');
  const figures = `${aboutRun(report)}\n\n${figuresTable(report)}`;
  const about = aboutRun({ ...scaling, busy: { all: scaling.busy } });
  const growth = `${about}\n\n${renderSeries(series)}\n\n### On paper\n\n${renderProjection(series)}`;
  writeFileSync(page, withSection(withSection(old, figuresSection, figures), scalingSection, growth));
  say('docs/performance.md has the figures of bench/results/latest.json and bench/results/scaling.json');
  return 0;
}

function readReport(): Report {
  let report: Report;
  try {
    report = JSON.parse(readFileSync(latestReport, 'utf8'));
  } catch (cause) {
    throw new Error(`${latestReport} cannot be read; npm run bench writes it`, { cause });
  }
  if (report.size === 'smoke')
    throw new Error(`${latestReport} is of a smoke test, whose figures mean nothing`);
  return report;
}
