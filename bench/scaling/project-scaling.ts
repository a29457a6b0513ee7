import { readFileSync } from 'node:fs';
import type { BenchOptions } from '../options.ts';
import { type ScalingReport, scalingReport } from './measure-scaling.ts';
import { renderProjection, renderSeries } from './render-scaling.ts';

/** Prints what a large cluster takes by a run with `--scaling`. @throws Error when there has been none */
export function projectScaling({ json = scalingReport }: BenchOptions, say: (text: string) => void): number {
  const { series } = readScaling(json);
  say(renderSeries(series));
  say(`\n${renderProjection(series)}`);
  return 0;
}

/** @throws Error when there is none, or one that was too short for slopes */
export function readScaling(file: string): ScalingReport {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Error(`${file} cannot be read; npm run bench -- --scaling writes it`, { cause });
  }
  const report: ScalingReport = JSON.parse(text);
  if (report.size === 'smoke') throw new Error(`${file} is of a smoke test, whose figures mean nothing`);
  return report;
}
