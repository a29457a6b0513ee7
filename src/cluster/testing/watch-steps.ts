import type { FakeAnswer, FakeRequest } from './fake-cluster.ts';
import { createFakeStream } from './fake-stream.ts';
import { createWatchHarness, things, type WatchHarness, type WatchHarnessOptions } from './watch-harness.ts';

export async function started(options: WatchHarnessOptions = {}, prepare?: (harness: WatchHarness) => void) {
  const harness = createWatchHarness(options);
  prepare?.(harness);
  await harness.start();
  return harness;
}

export function isWatch({ query }: FakeRequest): boolean {
  return query.watch === 'true' && query.sendInitialEvents === undefined;
}

export function isStreamedList({ query }: FakeRequest): boolean {
  return query.sendInitialEvents === 'true';
}

export function isPage({ query }: FakeRequest): boolean {
  return query.watch === undefined;
}

/** A watch that is taken on and never says anything. */
export function silentStream(): FakeAnswer {
  return { kind: 'stream', stream: createFakeStream() };
}

/** A watch that is taken on and closed. */
export function endedStream(): FakeAnswer {
  const stream = createFakeStream();
  stream.end('closed');
  return { kind: 'stream', stream };
}

export function put(harness: WatchHarness, ...names: string[]): void {
  for (const name of names) harness.cluster.put(things, { namespace: 'ns', name });
}
