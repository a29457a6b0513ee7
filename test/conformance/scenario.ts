import type { FaultProxy } from './fault-proxy.ts';
import type { RefreshHabit } from './manifest.ts';
import type { Call, Outcome } from './outcome.ts';
import type { AgentName, Pod, World } from './world.ts';

/** One row of the table. */
export interface Scenario {
  /** What `--scenario` takes. */
  readonly name: string;
  /** What a person reads in the row. */
  readonly title: string;
  /** Default: `v2-preferred`. */
  readonly agent?: AgentName;
  /** Further variables of the client. */
  readonly env?: Readonly<Record<string, string>>;
  /** Only for clients that can use IMDSv1. */
  readonly needsV1?: true;
  /** What is good; anything else is fair or bad. */
  readonly wanted: readonly Outcome[];
  /** Its waits are so near to time limits of clients that a slow machine may see another outcome. */
  readonly isTight?: true;
  /** It mostly waits: as many as there are run at the same time. */
  readonly isIdle?: true;
  readonly run: (cell: Cell) => Promise<CellResult>;
}

export interface CellResult {
  readonly outcome: Outcome;
  /** A few words more. They may differ from run to run, and are not compared. */
  readonly note?: string;
  readonly calls: readonly Call[];
}

/** One client in one scenario. Its pod is planned and not created, its process started and not called. */
export interface Cell {
  readonly world: World;
  readonly pod: Pod;
  readonly proxy: FaultProxy;
  readonly refresh: RefreshHabit;
  /** Ids of the access keys that its calls were signed with, as STS saw them. */
  readonly keys: readonly string[];
  call(how?: 'call' | 'new'): Promise<Call>;
}

/** Rows under a head of their own. */
export interface ScenarioGroup {
  readonly title: string;
  /** For a person: what is tried here, and what follows from it. */
  readonly text: string;
  /** `good`: anything but good is a defect of podpass. `fair`: bad is one. `any`: podpass never does what is tried here. */
  readonly least: 'good' | 'fair' | 'any';
  readonly scenarios: readonly Scenario[];
}
