import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { describe, it } from 'node:test';
import { Registry } from 'prom-client';
import { createMetrics } from './metrics.ts';
import { addProcessMetrics } from './process-metrics.ts';

async function scrape(registry: Registry): Promise<Map<string, number>> {
  const lines = (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.split(' ')[0] ?? '', Number(line.split(' ')[1])]));
}

function newRegistry(): Registry {
  const registry = new Registry();
  addProcessMetrics(registry);
  return registry;
}

const names = [
  'process_cpu_seconds_total',
  'process_start_time_seconds',
  'process_resident_memory_bytes',
  'process_open_fds',
  'nodejs_heap_size_total_bytes',
  'nodejs_heap_size_used_bytes',
  'nodejs_external_memory_bytes',
];

describe('addProcessMetrics', () => {
  it('reports each under the name that dashboards know, with a value', async () => {
    const values = await scrape(newRegistry());
    assert.deepEqual([...values.keys()].toSorted(), names.toSorted());
    for (const [name, value] of values) assert.ok(Number.isFinite(value) && value >= 0, name);
  });

  it('says the same as the process says of itself', async () => {
    const before = process.cpuUsage();
    const values = await scrape(newRegistry());
    const after = process.cpuUsage();
    const cpu = values.get('process_cpu_seconds_total') ?? 0;
    assert.ok(cpu >= (before.user + before.system) / 1e6, `${cpu}`);
    assert.ok(cpu <= (after.user + after.system) / 1e6, `${cpu}`);
    const started = values.get('process_start_time_seconds') ?? 0;
    assert.ok(Math.abs(started - (Date.now() - performance.now()) / 1_000) < 2, `${started}`);
    const rss = values.get('process_resident_memory_bytes') ?? 0;
    assert.ok(rss > 10e6 && rss < 10e9, `${rss}`);
  });

  it('counts CPU time up from one scrape to the next', async () => {
    const registry = newRegistry();
    const first = (await scrape(registry)).get('process_cpu_seconds_total') ?? 0;
    const until = process.cpuUsage().user + 20_000;
    while (process.cpuUsage().user < until);
    const second = (await scrape(registry)).get('process_cpu_seconds_total') ?? 0;
    assert.ok(second >= first + 0.02, `${first} then ${second}`);
  });

  it('sees a file that is opened', { skip: process.platform !== 'linux' && 'needs /proc' }, async () => {
    const registry = newRegistry();
    const before = (await scrape(registry)).get('process_open_fds') ?? 0;
    const file = openSync('/dev/null', 'r');
    const open = (await scrape(registry)).get('process_open_fds');
    closeSync(file);
    assert.equal(open, before + 1);
    assert.ok(before > 2, 'standard streams, at least');
  });
});

describe('createMetrics', () => {
  it('has the metrics of the process where they are asked for, and only there', async () => {
    const text = await createMetrics({ processMetrics: true }).registry.metrics();
    for (const name of names) assert.match(text, new RegExp(`^${name} `, 'm'));
    assert.doesNotMatch(await createMetrics().registry.metrics(), /^(process|nodejs)_/m);
  });
});
