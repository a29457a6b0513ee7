import { messageOf } from '../../src/base/errors.ts';
import { podEnvironment } from '../../src/sandbox/pod-environment.ts';
import { region } from '../end-to-end/small-aws.ts';
import type { Scope } from '../parts/scope.ts';
import { startClient } from './client-process.ts';
import { startFaultProxy } from './fault-proxy.ts';
import type { Client } from './find-clients.ts';
import { type Call, judge, type Outcome, type Verdict } from './outcome.ts';
import type { Scenario } from './scenario.ts';
import type { World } from './world.ts';

/** What stands in one cell, and what it comes from. */
export interface CellReport {
  readonly client: string;
  readonly scenario: string;
  readonly outcome: Outcome;
  readonly verdict: Verdict;
  /** Not compared from run to run. */
  readonly note?: string;
  readonly calls: readonly Call[];
  readonly millis: number;
}

export interface RunCellOptions {
  readonly world: World;
  readonly client: Client;
  readonly command: readonly string[];
  readonly scenario: Scenario;
  /** An empty folder that the client may take for its home. */
  readonly home: string;
  /** Part of the name of the cell's pod and role. */
  readonly podName: string;
  readonly signal: AbortSignal;
}

const callBound = 60_000;

/** The name of the pod and the role of a cell: the world must have been made with it. */
export function podNameOf(client: string, scenario: string, attempt: number): string {
  return `${client}-${scenario}-${attempt}`;
}

/**
 * Runs one client in one scenario, in a pod of its own.
 *
 * @throws Error where the client does not start, is not what its manifest says, or the pod cannot be made.
 */
export async function runCell(options: RunCellOptions): Promise<CellReport> {
  const { world, client, command, scenario, home, podName, signal } = options;
  const began = performance.now();
  const report = (outcome: Outcome, calls: readonly Call[], note?: string): CellReport => ({
    client: client.name,
    scenario: scenario.name,
    outcome,
    verdict: judge(outcome, scenario.wanted),
    ...(note === undefined ? {} : { note }),
    calls,
    millis: Math.round(performance.now() - began),
  });
  if (scenario.needsV1 && !client.manifest.speaksV1) return report('–', []);

  const stops: (() => Promise<void>)[] = [];
  const scope: Required<Scope> = { signal, after: (stop) => void stops.push(stop) };
  try {
    const pod = world.planPod(podName);
    const keys: string[] = [];
    const stsUrl = await world.openSts(scope, (key) => keys.push(key));
    const upstreamPort = world.portOf(scenario.agent ?? 'v2-preferred');
    const proxy = await startFaultProxy(scope, { podAddress: pod.address, upstreamPort });
    const base = { PATH: process.env.PATH, HOME: home, JAVA_HOME: process.env.JAVA_HOME };
    const env = podEnvironment(base, { metadataUrl: proxy.url, stsUrl, region });
    const running = await startClient({ command, env: { ...env, ...scenario.env }, callBound });
    scope.after(running.stop);
    if (running.sdk !== client.manifest.sdk)
      throw new Error(`it says that it is ${running.sdk}; ${client.dir} says ${client.manifest.sdk}`);
    const cell = {
      world,
      pod,
      proxy,
      keys,
      refresh: client.manifest.refresh,
      async call(how: 'call' | 'new' = 'call'): Promise<Call> {
        signal.throwIfAborted();
        const [start, first] = [performance.now(), proxy.seen.length];
        const answer = await running.call(how);
        return { answer, requests: proxy.seen.slice(first), millis: Math.round(performance.now() - start) };
      },
    };
    scope.after(() => world.deletePod(pod).catch(() => {}));
    const { outcome, calls, note } = await scenario.run(cell);
    return report(outcome, calls, note);
  } catch (error) {
    signal.throwIfAborted();
    throw new Error(`${client.name}, ${scenario.name}: ${messageOf(error)}`, { cause: error });
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}
