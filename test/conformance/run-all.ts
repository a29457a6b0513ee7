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
  /** Runs one cell. Default: really. */
  readonly run?: typeof runCell;
  /** Told of a cell that will be run again, and why. */
  readonly onSetAside: (text: string) => void;
}

export interface RunAllResult {
  readonly reports: readonly CellReport[];
  /** Cells that came out as they must when they were run again, with what they were first. */
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
  const { clients, groups, concurrency, quick, complain, onReport, onSetAside, run = runCell } = options;
  const reports: CellReport[] = [];
  const repeated: string[] = [];
  const failures: string[] = [];
  const again: (Job & { readonly why: string })[] = [];

  /** The cell's report, and in words what is wrong with it; without a report, why it could not be run. */
  async function attempt({ ready, scenario, group }: Job, count: number) {
    const podName = podNameOf(ready.client.name, scenario.name, count);
    try {
      const report = await run({ ...options, ...ready, scenario, podName });
      const complaint = complain(report, group);
      return complaint === undefined ? { report } : { report, complaint };
    } catch (error) {
      options.signal.throwIfAborted();
      return { complaint: messageOf(error) };
    }
  }

  function keep({ report, complaint }: Awaited<ReturnType<typeof attempt>>): void {
    if (report === undefined) {
      failures.push(complaint);
      return;
    }
    reports.push(report);
    onReport(report, complaint);
  }

  async function first(job: Job): Promise<void> {
    const tried = await attempt(job, 1);
    if (tried.complaint === undefined) {
      keep(tried);
      return;
    }
    const outcome = tried.report ? `${tried.report.outcome}: ` : '';
    const why = `${nameOf(job)}: ${outcome}${tried.complaint}`;
    onSetAside(why);
    again.push({ ...job, why });
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

  async function repeat(job: Job & { readonly why: string }): Promise<void> {
    for (let count = 2; count <= attempts; count += 1) {
      const tried = await attempt(job, count);
      if (tried.complaint !== undefined && count < attempts) continue;
      if (tried.complaint === undefined) repeated.push(`${job.why}. As it must be at attempt ${count}`);
      keep(tried);
      return;
    }
  }

  await Promise.all(again.filter(({ scenario }) => scenario.isIdle).map(repeat));
  for (const job of again) if (!job.scenario.isIdle) await repeat(job);
  return { reports, repeated, failures };
}

const nameOf = ({ ready, scenario }: Job) => `${ready.client.name}, ${scenario.name}`;

const order: readonly Verdict[] = ['bad', 'fair', 'good'];

/** Whether a cell is less than its group asks for. */
export function fallsShort({ verdict }: CellReport, { least }: ScenarioGroup): boolean {
  return least !== 'any' && order.indexOf(verdict) < order.indexOf(least);
}
