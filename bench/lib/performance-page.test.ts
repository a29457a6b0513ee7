import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { allFigures } from '../figures.ts';
import { measured, verdictOf } from './measurement.ts';
import {
  aboutRun,
  budgetsOnPage,
  figuresSection,
  figuresTable,
  scalingSection,
  withSection,
} from './performance-page.ts';

const page = `# Title\n\n${figuresSection.begin}\nold\n${figuresSection.end}\n\nmore\n`;
const measurements = [measured('agent-resident', 91.8), measured('agent-v1-rate', 0.95)].map(
  (measurement) => ({
    ...measurement,
    verdict: verdictOf(measurement),
  }),
);
const table = figuresTable({ measurements });

describe('the table of figures', () => {
  const lineOf = (what: string) => table.split('\n').find((line) => line.includes(what));

  it('has a line for every figure, measured or not', () => {
    assert.equal(table.split('\n').length, 2 + allFigures.length);
    assert.match(lineOf('until it answers with credentials') ?? '', /\| not measured \| at most 500 ms \|/);
  });

  it('shows a miss, and what others came to', () =>
    assert.equal(
      lineOf('resident memory'),
      '| agent, 110 pods, after load: resident memory | 91.8 MB | at most 90 MB, missed | 56 MB | 44 MB |',
    ));

  it('is read back with its budgets, missed or not', () => {
    const budgets = budgetsOnPage(withSection(page, figuresSection, table));
    assert.equal(budgets.length, allFigures.filter(({ budget }) => budget !== undefined).length);
    assert.ok(budgets.some(({ budget }) => budget === 'at most 90 MB'));
  });
});

describe('withSection', () => {
  it('replaces a section and nothing else, whatever the text holds', () => {
    const text = 'costs $& and $1';
    assert.equal(
      withSection(page, figuresSection, text),
      page.replace('\nold\n', () => `\n\n${text}\n\n`),
    );
  });

  it('says which section a page lacks', () =>
    assert.throws(() => withSection(page, scalingSection, 'x'), /no <!-- scaling: begin -->/));
});

describe('aboutRun', () => {
  it('says how busy the machine was', () => {
    const machine = { cpu: 'EPYC', cores: 2, memoryGb: 25, node: 'v26.10.0', load: 1, commit: 'abc' };
    assert.equal(
      aboutRun({ at: '2026-11-28T04:00:00Z', machine, size: 'quick', busy: { a: 3, b: 99.6 } }),
      'A quick run of 2026-11-28 at `abc`: 2 cores (EPYC), 25 GB, Node 26.10.0; others used 100 % of the machine at most.',
    );
  });
});
