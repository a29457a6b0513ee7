import type { FakeClock } from '../../../src/base/fake-clock.ts';
import { createSeededRandom, type Random } from '../../../src/base/random.ts';
import type { ClusterConnection } from '../../../src/cluster/connection.ts';
import type { ProcessContext } from '../../../src/commands/process-context.ts';
import { createHealth } from '../../../src/telemetry/health.ts';
import type { Logger } from '../../../src/telemetry/logger.ts';
import { createApiConnection } from './api-connection.ts';
import { type ApiServer, namespacesPath, podsPath } from './api-server.ts';
import { createIdleMetrics } from './idle-metrics.ts';
import type { Network, Party } from './network.ts';
import { createProcessClock, type ProcessClock } from './process-clock.ts';
import type { Kind, Recorder } from './record.ts';
import type { Sts } from './sts.ts';

/** What all processes of a run share. */
export interface Runtime {
  readonly clock: FakeClock;
  readonly random: Random;
  readonly network: Network;
  readonly api: ApiServer;
  readonly sts: Sts;
  readonly recorder: Recorder;
  readonly settings: RunSettings;
  /** The log of one process. */
  readonly loggerFor: (process: string, clock: ProcessClock) => Logger;
}

export interface RunSettings {
  readonly sessionMillis: number;
  readonly agentScope: 'auto' | 'enforce';
  readonly imds: 'v2-required' | 'v2-preferred';
  readonly maxStreamAgeMillis: number;
  readonly callsPerSecond: number;
}

export const account = '123456789012';
export const arnPrefix = `arn:aws:iam::${account}:role/`;

/** One process of podpass, as far as the world outside of it goes. */
export interface SimProcess extends Party {
  readonly clock: ProcessClock;
  readonly context: ProcessContext;
  /** Asks it to end. */
  readonly stopping: AbortController;
}

const metrics = createIdleMetrics();

export function createProcess(runtime: Runtime, name: string, place: string): SimProcess {
  const clock = createProcessClock(runtime.clock);
  const stopping = new AbortController();
  const context: ProcessContext = {
    clock,
    random: createSeededRandom(Math.floor(runtime.random.next() * 2 ** 32)),
    logger: runtime.loggerFor(name, clock),
    metrics,
    health: createHealth(),
    signal: stopping.signal,
    localPages: new Map(),
    started() {},
    async end() {},
  };
  return { name, place, isListening: false, isDead: false, clock, context, stopping };
}

/** As SIGKILL: nothing of it happens any more, and the network says so to whoever it was connected to. */
export function kill({ network, recorder }: Runtime, process: SimProcess): void {
  recorder.ended(process.name);
  process.clock.stop();
  network.crash(process);
}

const kinds: Readonly<Record<string, Kind>> = { [podsPath]: 'pods', [namespacesPath]: 'namespaces' };

/** The Kubernetes API as a process sees it; what it is told is written down, and `onNews` is told that there was something. */
export function connectProcess(runtime: Runtime, process: SimProcess, onNews: () => void): ClusterConnection {
  const { network, api, recorder } = runtime;
  return createApiConnection({
    network,
    process,
    clock: process.clock,
    api,
    news: {
      listed(path, version) {
        const kind = kinds[path];
        if (!kind) return;
        recorder.listed(process.name, kind, version);
        onNews();
      },
      heard({ path, object: { metadata }, version }) {
        const kind = kinds[path];
        if (!kind) return;
        recorder.heard(process.name, kind === 'pods' ? metadata.uid : metadata.name, version);
        onNews();
      },
    },
  });
}
