import { createFakeClock } from '../../base/fake-clock.ts';
import { createHealth } from '../../telemetry/health.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { createMetrics } from '../../telemetry/metrics.ts';
import type { FirewallOptions } from '../firewall.ts';
import { parseHostInterfaces } from '../host-interfaces.ts';
import type { ToolResult } from '../run-tool.ts';

/** What a tool answers: its output, or how it failed. By the beginning of its command line; the longest one counts. */
export type Answers = Record<string, string | Exclude<ToolResult, { kind: 'done' }>>;

/** Tools that answer from a table, which a test may change, and remember what they were told. */
export function createFakeHost(answers: Answers, interfaceNames = ['lo', 'eth0', 'cali1']) {
  const clock = createFakeClock();
  const metrics = createMetrics();
  const health = createHealth();
  const listening = new Set<number>();
  const calls: string[] = [];
  const log: string[] = [];
  const options: FirewallOptions = {
    redirect: { interfaces: parseHostInterfaces(['cali+']), hosts: { v4: '10.0.0.1' }, port: 8181 },
    kind: 'auto',
    routeGuard: true,
    checkIntervalMillis: 10_000,
    async run(tool, args, input = '') {
      const line = [tool, ...args].join(' ');
      calls.push(input === '' ? line : `${line} < ${input}`);
      const key = Object.keys(answers)
        .filter((start) => line.startsWith(start))
        .toSorted((a, b) => b.length - a.length)[0];
      const answer = key === undefined ? ({ kind: 'absent' } as const) : (answers[key] ?? '');
      return typeof answer === 'string' ? { kind: 'done', stdout: answer } : answer;
    },
    host: {
      interfaceNames: () => interfaceNames,
      hasIPv6: () => false,
      hasLegacyNat: () => false,
      countListeners: async (port) => (listening.has(port) ? 1 : 0),
      mayAdministerNetwork: () => false,
    },
    clock,
    logger: createLogger({
      level: 'debug',
      json: true,
      clock,
      write(line) {
        const { level, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
        log.push(`${level}: ${msg} ${JSON.stringify({ ...fields, time: undefined })}`);
      },
    }),
    metrics,
    health,
  };
  return { options, answers, listening, calls, log, clock, metrics, health, interfaceNames };
}
