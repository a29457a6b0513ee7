import { Session } from 'node:inspector/promises';
import { type Clock, sleep } from '../base/clock.ts';

export interface ProfileOptions {
  readonly clock: Clock;
  /** How long to look. */
  readonly millis: number;
  readonly signal: AbortSignal;
}

/** As Go's heap profile: one sample for each half megabyte that is allocated, which costs next to nothing. */
const sampledBytes = 512 * 1024;

/**
 * Where CPU time goes, in the format of Chrome's `.cpuprofile`. It holds names of functions, files and lines, and no
 * values.
 *
 * @throws the signal's reason
 */
export async function takeCpuProfile({ clock, millis, signal }: ProfileOptions): Promise<string> {
  return withSession(async (session) => {
    await session.post('Profiler.enable');
    await session.post('Profiler.start');
    await sleep(clock, millis, signal);
    const { profile } = await session.post('Profiler.stop');
    return JSON.stringify(profile);
  });
}

/**
 * Which functions allocated what is still alive at the end, in the format of Chrome's `.heapprofile`. It holds sizes
 * and names of functions, and no values: a heap snapshot would hold every credential, and there is none.
 *
 * @throws the signal's reason
 */
export async function takeHeapProfile({ clock, millis, signal }: ProfileOptions): Promise<string> {
  return withSession(async (session) => {
    await session.post('HeapProfiler.enable');
    await session.post('HeapProfiler.startSampling', { samplingInterval: sampledBytes });
    await sleep(clock, millis, signal);
    const { profile } = await session.post('HeapProfiler.stopSampling');
    return JSON.stringify(profile);
  });
}

/** A session of this process with itself: no port is opened for it. Disconnecting ends a profile that was begun. */
async function withSession<T>(use: (session: Session) => Promise<T>): Promise<T> {
  const session = new Session();
  session.connect();
  try {
    return await use(session);
  } finally {
    session.disconnect();
  }
}
