import { messageOf } from '../../src/base/errors.ts';
import type { Client } from './find-clients.ts';
import type { Verdict } from './outcome.ts';
import { type CellReport, podNameOf, type RunCellOptions, runCell } from './run-cell.ts';
import type { Scenario, ScenarioGroup } from './scenario.ts';

export interface ReadyClient {
  readonly client: Client;
  readonly command: readonly string[];
}

export interface RunAllOptions extends Pick<RunCellOptions, 'world' | 'home' | 'signal'> {
  readonly clients: readonly ReadyClient[];
  readonly groups: readonly ScenarioGroup[];
  readonly concurrency: number;
  /** Leaves out cells that wait for minutes. */
  readonly quick: boolean;
  /** What a cell must be; one that is not is run again, alone. Says why in words. */
  readonly complain: (report: CellReport, group: ScenarioGroup) => string | undefined;
  readonly onReport: (report: CellReport, complaint: string | undefined) => void;
}

export interface RunAllResult {
  readonly reports: readonly CellReport[];
  /** Cells that came out otherwise when they were run again alone: `rust, get-slow-900: …`. */
  readonly repeated: readonly string[];
  /** Cells that could not be run, in words. */
  readonly failures: readonly string[];
}

/** A cell that is not as it must be is run so many times in all before it counts: a busy machine is late at times. */
export const attempts = 3;

/** Whether a client's habits make it wait for minutes where it is to renew its credentials. */
export function isSlow({ manifest }: Client): boolean {
  return manifest.refresh.after > 120;
}

interface Job {
  readonly ready: ReadyClient;
  readonly scenario: Scenario;
  readonly group: ScenarioGroup;
}

/** Runs every client in every scenario. */
export async function runAll(options: RunAllOptions): Promise<RunAllResult> {
  const { clients, groups, concurrency, quick, complain, onReport } = options;
  const reports: CellReport[] = [];
  const repeated: string[] = [];
  const failures: string[] = [];
  const again: Job[] = [];

  async function runJob({ ready, scenario }: Job, attempt: number): Promise<CellReport | undefined> {
    const podName = podNameOf(ready.client.name, scenario.name, attempt);
    try {
      return await runCell({ ...options, ...ready, scenario, podName });
    } catch (error) {
      options.signal.throwIfAborted();
      if (attempt === attempts) failures.push(messageOf(error));
      return undefined;
    }
  }

  async function first(job: Job): Promise<void> {
    const report = await runJob(job, 1);
    if (report === undefined || complain(report, job.group) !== undefined) {
      again.push(job);
      return;
    }
    reports.push(report);
    onReport(report, undefined);
  }

  const jobs = groups.flatMap((group) =>
    group.scenarios.flatMap((scenario) => clients.map((ready) => ({ ready, scenario, group }))),
  );
  const waiting = jobs.filter(({ scenario }) => !scenario.isIdle);
  const idle = jobs.filter(({ scenario, ready }) => scenario.isIdle && !(quick && isSlow(ready.client)));
  const worker = async () => {
    for (let job = waiting.shift(); job; job = waiting.shift()) await first(job);
  };
  await Promise.all([...idle.map(first), ...Array.from({ length: concurrency }, worker)]);

  async function repeat(job: Job): Promise<void> {
    for (let attempt = 2; attempt <= attempts; attempt += 1) {
      const report = await runJob(job, attempt);
      const complaint = report && complain(report, job.group);
      if (report === undefined || (complaint !== undefined && attempt < attempts)) continue;
      if (complaint === undefined)
        repeated.push(`${report.client}, ${report.scenario}: as it must be at attempt ${attempt}`);
      reports.push(report);
      onReport(report, complaint);
      return;
    }
  }

  await Promise.all(again.filter(({ scenario }) => scenario.isIdle).map(repeat));
  for (const job of again) if (!job.scenario.isIdle) await repeat(job);
  return { reports, repeated, failures };
}

const order: readonly Verdict[] = ['bad', 'fair', 'good'];

/** Whether a cell is less than its group asks for. */
export function fallsShort({ verdict }: CellReport, { least }: ScenarioGroup): boolean {
  return least !== 'any' && order.indexOf(verdict) < order.indexOf(least);
}
