import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Client } from './find-clients.ts';
import { judge, type Outcome } from './outcome.ts';
import { fallsShort, type RunAllOptions, runAll } from './run-all.ts';
import type { RunCellOptions } from './run-cell.ts';
import type { Scenario, ScenarioGroup } from './scenario.ts';
import type { World } from './world.ts';

/** What a cell comes to at its attempts; the last goes on. An error cannot be run. */
type Script = readonly (Outcome | Error)[];

function client(name: string, after = 40): Client {
  const refresh = { servedWith: after, after };
  const manifest = {
    title: name,
    sdk: name,
    needs: [],
    install: '',
    build: [],
    run: ['x'],
    speaksV1: true,
    refresh,
  };
  return { name, dir: '/', fingerprint: '', manifest };
}

function scenario(name: string, isIdle = false): Scenario {
  const run = () => Promise.reject(new Error('nothing runs here'));
  return { name, title: name, wanted: ['role'], run, ...(isIdle ? { isIdle } : {}) };
}

const group: ScenarioGroup = {
  title: '',
  text: '',
  least: 'good',
  scenarios: [scenario('one'), scenario('two')],
};

/** Runs all with cells that come to what is written down; the others have their role. */
async function runWith(
  t: TestContext,
  scripts: Readonly<Record<string, Script>>,
  changes: Partial<RunAllOptions> = {},
) {
  const ran: string[] = [];
  const setAside: string[] = [];
  let atATime = 0;
  let most = 0;
  async function run({ client: { name }, scenario: own, podName }: RunCellOptions) {
    const attempt = Number(podName.split('-').at(-1));
    ran.push(podName);
    atATime += 1;
    most = Math.max(most, atATime);
    await new Promise((resolve) => setImmediate(resolve));
    atATime -= 1;
    const script = scripts[`${name}, ${own.name}`] ?? ['role'];
    const outcome = script[Math.min(attempt, script.length) - 1] ?? 'role';
    if (outcome instanceof Error) throw outcome;
    const verdict = judge(outcome, own.wanted);
    return { client: name, scenario: own.name, outcome, verdict, calls: [], millis: 1 };
  }
  const result = await runAll({
    world: {} as World,
    home: '/',
    signal: t.signal,
    clients: [client('a'), client('b')].map((own) => ({ client: own, command: ['x'] })),
    groups: [group],
    concurrency: 1,
    quick: false,
    complain: (report, own) => (fallsShort(report, own) ? 'too little' : undefined),
    onReport: () => {},
    onSetAside: (text) => void setAside.push(text),
    run,
    ...changes,
  });
  const outcomes = Object.fromEntries(
    result.reports.map((own) => [`${own.client}, ${own.scenario}`, own.outcome]),
  );
  return { ...result, outcomes, ran, setAside, most };
}

const allRole = { 'a, one': 'role', 'a, two': 'role', 'b, one': 'role', 'b, two': 'role' };

describe('a run of all cells', () => {
  it('runs every client in every scenario once, so many at a time', async (t) => {
    const { outcomes, ran, repeated, failures, most } = await runWith(t, {}, { concurrency: 2 });
    assert.deepEqual(outcomes, allRole);
    assert.equal(ran.length, 4);
    assert.equal(most, 2);
    assert.deepEqual([repeated, failures], [[], []]);
  });

  it('runs a cell again that is not as it must be, and says what it was', async (t) => {
    const { outcomes, ran, repeated, setAside } = await runWith(t, { 'b, one': ['hangs', 'hangs', 'role'] });
    assert.deepEqual(outcomes, allRole);
    assert.deepEqual(
      ran.filter((name) => name.startsWith('b-one')),
      ['b-one-1', 'b-one-2', 'b-one-3'],
    );
    assert.deepEqual(setAside, ['b, one: hangs: too little']);
    assert.deepEqual(repeated, ['b, one: hangs: too little. As it must be at attempt 3']);
  });

  it('keeps what a cell is at its third attempt', async (t) => {
    const { outcomes, ran, repeated, failures } = await runWith(t, { 'a, two': ['hangs'] });
    assert.deepEqual(outcomes, { ...allRole, 'a, two': 'hangs' });
    assert.equal(ran.length, 6);
    assert.deepEqual([repeated, failures], [[], []]);
  });

  it('names a cell that cannot be run, and has no outcome for it', async (t) => {
    const { outcomes, failures } = await runWith(t, { 'a, one': [new Error('a, one: no pod')] });
    const { 'a, one': _, ...others } = allRole;
    assert.deepEqual(outcomes, others);
    assert.deepEqual(failures, ['a, one: no pod']);
  });

  it('runs idle scenarios beside the others, all at once', async (t) => {
    const groups = [{ ...group, scenarios: [scenario('one'), scenario('idle', true)] }];
    const { most, ran } = await runWith(t, {}, { groups });
    assert.equal(most, 3);
    assert.equal(ran.length, 4);
  });

  it('leaves out what waits for minutes where it is to be quick', async (t) => {
    const groups = [{ ...group, scenarios: [scenario('one'), scenario('idle', true)] }];
    const clients = [client('a'), client('slow', 606)].map((own) => ({ client: own, command: ['x'] }));
    const { ran } = await runWith(t, {}, { groups, clients, quick: true });
    assert.deepEqual(ran.sort(), ['a-idle-1', 'a-one-1', 'slow-one-1']);
  });
});
