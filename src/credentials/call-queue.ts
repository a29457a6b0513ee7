import type { Clock, Timer } from '../base/clock.ts';
import { createTokenBucket, type TokenBucket } from './token-bucket.ts';

export interface CallQueueOptions {
  readonly clock: Clock;
  /** Calls a second for each account. */
  readonly callsPerSecond: number;
  /** Calls that each account may make at once after a quiet time. */
  readonly burst: number;
  /** Calls under way at the same time, over all accounts. */
  readonly maxConcurrent: number;
}

/** A call that waits for its turn. Both do nothing once the call has begun. */
export interface QueuedCall {
  /** Puts a routine call behind the urgent ones that wait already. */
  promote(): void;
  cancel(): void;
}

/** Decides when STS is called: within the budget of each account, urgent calls first, accounts in turn. */
export interface CallQueue {
  /**
   * Runs `call` when it is its turn, which may be before `enqueue` returns. `urgent`: somebody has nothing to be
   * served with until the call has been made.
   */
  enqueue(account: string, urgent: boolean, call: () => Promise<void>): QueuedCall;
  /** Accounts whose budget is remembered: those with calls that wait, or that called a short while ago. */
  readonly accounts: number;
  /** STS throttles: the account gets a smaller budget for a while. */
  slowDown(account: string): void;
  /** Forgets the calls that wait. Those under way are the caller's to cancel. */
  close(): void;
}

type Priority = 'urgent' | 'routine';

interface Lane {
  readonly bucket: TokenBucket;
  readonly urgent: Set<() => Promise<void>>;
  readonly routine: Set<() => Promise<void>>;
}

export function createCallQueue(options: CallQueueOptions): CallQueue {
  const { clock, callsPerSecond, burst, maxConcurrent } = options;
  /** In the order of their turns: an account that was served goes to the end. */
  const lanes = new Map<string, Lane>();
  let running = 0;
  let timer: Timer | undefined;
  let closed = false;

  function laneOf(account: string): Lane {
    let lane = lanes.get(account);
    if (!lane) {
      const bucket = createTokenBucket({ clock, perSecond: callsPerSecond, burst });
      lane = { bucket, urgent: new Set(), routine: new Set() };
      lanes.set(account, lane);
    }
    return lane;
  }

  function pump(): void {
    timer?.cancel();
    timer = undefined;
    if (closed) return;
    start('urgent');
    start('routine');
    let wait = Number.POSITIVE_INFINITY;
    for (const [account, lane] of lanes) {
      if (lane.urgent.size + lane.routine.size > 0) wait = Math.min(wait, lane.bucket.untilNext());
      else if (lane.bucket.fresh) lanes.delete(account);
    }
    // Without a free place the end of a call pumps again.
    if (running < maxConcurrent && wait < Number.POSITIVE_INFINITY) timer = clock.setTimer(wait, pump);
  }

  function start(priority: Priority): void {
    for (let progress = true; progress; ) {
      progress = false;
      for (const [account, lane] of [...lanes]) {
        const [call] = lane[priority];
        if (!call || running >= maxConcurrent || !lane.bucket.tryTake()) continue;
        lane[priority].delete(call);
        lanes.delete(account);
        lanes.set(account, lane);
        progress = true;
        running += 1;
        call().finally(() => {
          running -= 1;
          pump();
        });
      }
    }
  }

  return {
    enqueue(account, urgent, call) {
      const lane = laneOf(account);
      lane[urgent ? 'urgent' : 'routine'].add(call);
      pump();
      return {
        promote() {
          if (!lane.routine.delete(call)) return;
          lane.urgent.add(call);
          pump();
        },
        cancel() {
          lane.urgent.delete(call);
          lane.routine.delete(call);
        },
      };
    },
    get accounts() {
      return lanes.size;
    },
    slowDown: (account) => laneOf(account).bucket.slowDown(),
    close() {
      closed = true;
      timer?.cancel();
      lanes.clear();
    },
  };
}
