import assert from 'node:assert/strict';
import type { LoadOptions } from './load.ts';
import { metadataIpv4, metadataIpv6 } from './topology.ts';
import type { World } from './world.ts';

/** What requests came to that were asked while something was changed. */
export interface UnderLoad {
  /** As `LoadResult` has it, of all pods. */
  readonly failed: readonly string[];
  readonly retried: number;
  readonly repeated: number;
  /** In milliseconds. */
  readonly slowest: number;
}

/**
 * A connection made in the instant in which its listener closes is reset. It is one in many upgrades; without care in
 * closing it is ten in each.
 */
export const fewRetries = 4;

/** Requests that are answered before and after the change, for each pod. */
const enough = 20;
const hosts = [metadataIpv4, metadataIpv6];

/**
 * The pods ask, in turn by IPv4 and by IPv6, before, while and after `change` happens, which can wait for some more
 * answers in between.
 *
 * @throws AssertionError where a pod was answered as another one, or past podpass
 */
export async function underLoad(
  { pods, wiretap }: Pick<World, 'pods' | 'wiretap'>,
  options: Partial<LoadOptions>,
  change: (goOn: () => Promise<unknown>) => Promise<void>,
): Promise<UnderLoad> {
  for (const [index, pod] of pods.entries()) {
    const host = hosts[index % hosts.length] ?? '';
    await pod.worker.startLoad({ host, role: pod.role, fresh: 5, kept: 3, ...options });
  }
  const goOn = () => Promise.all(pods.map((pod) => pod.worker.untilAnswered(enough)));
  await goOn();
  await change(goOn);
  await goOn();
  const results = await Promise.all(pods.map((pod) => pod.worker.stopLoad()));
  for (const { wrong } of results) assert.deepEqual(wrong, []);
  assert.deepEqual(wiretap.sources(), []);
  return {
    failed: results.flatMap(({ failed }) => failed),
    retried: results.reduce((sum, result) => sum + result.retried, 0),
    repeated: results.reduce((sum, result) => sum + result.repeated, 0),
    slowest: Math.max(...results.map(({ slowest }) => slowest)),
  };
}
