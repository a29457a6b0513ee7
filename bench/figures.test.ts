import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { allFigures } from './figures.ts';
import { budgetCell, budgetsOnPage } from './lib/performance-page.ts';
import { figuresProblem } from './lib/report.ts';
import { peers } from './peers.ts';
import { rows } from './rows/all.ts';

const page = readFileSync(join(import.meta.dirname, '../docs/performance.md'), 'utf8');

describe('the figures', () => {
  it('with a budget are those of the table in docs/performance.md, each with its budget there', () => {
    const promised = allFigures
      .map((figure) => ({ what: figure.what, budget: budgetCell(figure) }))
      .filter(({ budget }) => budget !== '');
    assert.ok(promised.length > 0);
    assert.deepEqual(budgetsOnPage(page), promised);
  });

  it('are each measured by a row, and each row measures some', () => {
    const named = new Set<string>(allFigures.map(({ row }) => row));
    assert.deepEqual([...named].sort(), rows.map(({ name }) => name).sort());
  });

  it('have names that tell them apart', () => {
    const names = new Set(allFigures.map(({ what }) => what));
    assert.equal(names.size, allFigures.length);
  });

  it('of other programs are of figures that there are, in their order of size', () => {
    const known = new Set<string>(allFigures.map(({ id }) => id));
    for (const [id, { bare, kiam, kube2iam }] of Object.entries(peers)) {
      assert.ok(known.has(id), id);
      for (const range of [bare, kiam, kube2iam]) if (range) assert.ok(range[0] <= range[1], id);
    }
  });
});

describe('figuresProblem', () => {
  const ids = allFigures.filter(({ row }) => row === 'agent').map(({ id }) => ({ id }));

  it('has nothing to say when a row measured what it promised', () =>
    assert.equal(figuresProblem('agent', ids), undefined));

  it('names what a row left out, and what is not its own', () => {
    assert.equal(figuresProblem('agent', ids.slice(1)), 'agent-anonymous was not measured');
    assert.match(
      figuresProblem('agent', [...ids, { id: 'start-ping' }]) ?? '',
      /^start-ping is of another row/,
    );
  });
});
