import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { projectRoot } from '../parts/locations.ts';
import { findClients, ownClients } from './find-clients.ts';
import { footnoteOf, footnotes } from './footnotes.ts';
import { judge, type Outcome } from './outcome.ts';
import { type Page, readPage, renderPage } from './render-page.ts';
import { renderTerminal } from './render-terminal.ts';
import { fallsShort } from './run-all.ts';
import type { CellReport } from './run-cell.ts';
import type { ScenarioGroup } from './scenario.ts';
import { scenarioGroups } from './scenarios.ts';

const run = () => Promise.reject(new Error('nothing runs here'));
const group: ScenarioGroup = {
  title: 'What is tried',
  text: 'Words.',
  least: 'fair',
  scenarios: [
    { name: 'one', title: 'the first', wanted: ['role'], run },
    { name: 'two', title: 'the second', wanted: ['role'], run },
  ],
};

function report(client: string, scenario: string, outcome: Outcome, note?: string): CellReport {
  const verdict = judge(outcome, ['role']);
  return {
    client,
    scenario,
    outcome,
    verdict,
    calls: [],
    millis: 1,
    ...(note === undefined ? {} : { note }),
  };
}

const page: Page = {
  columns: [
    { name: 'a', title: 'Client A', sdk: 'a 1.0.0' },
    { name: 'b', title: 'Client B', sdk: 'b 2.0.0' },
    { name: 'c', title: 'Client C', sdk: 'c 3.0.0', missing: 'no compiler' },
  ],
  groups: [group],
  reports: [
    report('a', 'one', 'role', 'asks at each call'),
    report('a', 'two', 'fails, then role', 'late'),
    report('b', 'one', 'fails, stays without'),
    report('b', 'two', 'fails, then role'),
  ],
  footnotes: [
    { outcome: 'fails, then role', clients: ['b'], text: 'b is slow.' },
    { outcome: 'fails, stays without', text: 'It remembers.' },
  ],
  date: '2026-01-02',
};

describe('the page of conformance', () => {
  const text = renderPage(page);

  it('has a row for each scenario, marked where it is less than good', () => {
    assert.match(
      text,
      /^\| `one` the first \| role \(asks at each call\) \| \*\*fails, stays without\*\* <sup>1<\/sup> \| not run \|$/m,
    );
    assert.match(
      text,
      /^\| `two` the second \| \*fails, then role \(late\)\* \| \*fails, then role\* <sup>2<\/sup> \| not run \|$/m,
    );
  });

  it('numbers footnotes as they come', () => {
    assert.match(text, /^1\. It remembers\.\n2\. b is slow\.$/m);
  });

  it('names versions, the date, and what was not run', () => {
    assert.match(text, /^\| Client C \| c 3\.0\.0 \(not run: no compiler\) \|$/m);
    assert.match(text, /Last run: 2026-01-02\./);
  });

  it('is read back without marks, notes and footnotes', () => {
    const cells = readPage(text);
    assert.deepEqual([...cells.keys()], ['one', 'two']);
    assert.deepEqual(Object.fromEntries(cells.get('one') ?? []), {
      'Client A': 'role',
      'Client B': 'fails, stays without',
      'Client C': 'not run',
    });
    assert.equal(cells.get('two')?.get('Client A'), 'fails, then role');
  });
});

describe('the table of conformance on a terminal', () => {
  it('has a line for each scenario', () => {
    const lines = renderTerminal(page).split('\n');
    assert.ok(lines.includes('one  role      NEVER     not run'), lines.join('\n'));
    assert.ok(lines.includes('two  later ~   later ~   not run'));
  });
});

describe('what a group asks for', () => {
  const cases = [
    ['good', 'role', false],
    ['good', 'fails, then role', true],
    ['fair', 'fails, then role', false],
    ['fair', 'fails, stays without', true],
    ['any', 'fails, stays without', false],
  ] as const;
  for (const [least, outcome, expected] of cases)
    it(`${least}: ${outcome} ${expected ? 'falls short' : 'is enough'}`, () =>
      assert.equal(fallsShort(report('a', 'one', outcome), { ...group, least }), expected));
});

describe('docs/conformance.md', () => {
  const cells = readPage(readFileSync(join(projectRoot, 'docs', 'conformance.md'), 'utf8'));
  const clients = findClients([ownClients]);

  it('has every client in every scenario, run', () => {
    for (const { scenarios } of scenarioGroups) {
      for (const { name } of scenarios) {
        for (const { manifest } of clients) {
          const cell = cells.get(name)?.get(manifest.title);
          assert.ok(cell !== undefined && cell !== 'not run', `${manifest.title}, ${name}: ${cell}`);
        }
      }
    }
  });

  it('shows every client with its role in what podpass does', () => {
    for (const ownGroup of scenarioGroups.filter(({ least }) => least !== 'any')) {
      for (const { name, wanted } of ownGroup.scenarios) {
        for (const [title, outcome] of cells.get(name) ?? []) {
          const verdict = judge(outcome as Outcome, wanted);
          assert.ok(
            !fallsShort({ ...report('', name, 'role'), verdict }, ownGroup),
            `${title}, ${name}: ${outcome}`,
          );
        }
      }
    }
  });

  it('explains each cell that is less than good', () => {
    for (const { name, wanted } of scenarioGroups.flatMap((own) => own.scenarios)) {
      for (const { name: client, manifest } of clients) {
        const outcome = cells.get(name)?.get(manifest.title) as Outcome;
        if (judge(outcome, wanted) === 'good') continue;
        const cell = { client, scenario: name, outcome };
        assert.notEqual(footnoteOf(cell, footnotes), undefined, JSON.stringify(cell));
      }
    }
  });
});
