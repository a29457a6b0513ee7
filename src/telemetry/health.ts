/** What a check found. The message is for a person and names what is wrong. */
export interface CheckResult {
  readonly ok: boolean;
  readonly message: string;
}

/**
 * `live`: the process works as a process; failing it asks for a restart, so it must never fail for a fault elsewhere.
 * `ready`: the process can answer what it is there to answer.
 */
export type CheckKind = 'live' | 'ready';

export interface Health {
  /** Adds a check. `name` is shown to people: `pod watch`, `server stream`. */
  add(kind: CheckKind, name: string, check: () => CheckResult): void;
  report(kind: CheckKind): HealthReport;
}

export interface HealthReport {
  readonly ok: boolean;
  readonly checks: readonly (CheckResult & { readonly name: string })[];
}

/** The checks of one process. Cheap to ask: a check reads what is in memory. */
export function createHealth(): Health {
  const checks: { kind: CheckKind; name: string; check: () => CheckResult }[] = [];
  return {
    add: (kind, name, check) => checks.push({ kind, name, check }),
    report(kind) {
      const results = checks
        .filter((entry) => entry.kind === kind)
        .map(({ name, check }) => ({ name, ...check() }));
      return { ok: results.every(({ ok }) => ok), checks: results };
    },
  };
}

/** One line for each check, as `/healthz?verbose` of Kubernetes' own servers has it. */
export function formatHealthReport(report: HealthReport): string {
  const lines = report.checks.map(({ ok, name, message }) => `[${ok ? '+' : '-'}]${name}: ${message}`);
  return `${[...lines, report.ok ? 'ok' : 'failed'].join('\n')}\n`;
}
