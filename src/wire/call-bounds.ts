import type { Deadline } from '@grpc/grpc-js';
import type { Clock } from '../base/clock.ts';

/** The part of a server's call that says how long anybody waits for its end. */
interface BoundedCall {
  getDeadline(): Deadline;
  once(event: 'cancelled', listener: () => void): unknown;
  off(event: 'cancelled', listener: () => void): unknown;
}

export interface CallBounds {
  /** How long to wait at most: the caller's deadline or `longest`, whichever comes first. */
  readonly millis: number;
  /** Aborts when the caller goes away. */
  readonly signal: AbortSignal;
  /** To be called when the wait is over. */
  end(): void;
}

/** Time kept for writing the answer and for its way back, in milliseconds. */
const answerMillis = 20;

/** The bounds of a call that has to wait. */
export function deadlineSignal(call: BoundedCall, clock: Clock, longest: number): CallBounds {
  const controller = new AbortController();
  const onCancelled = () => controller.abort();
  call.once('cancelled', onCancelled);
  const deadline = call.getDeadline();
  const left = (typeof deadline === 'number' ? deadline : deadline.getTime()) - clock.now() - answerMillis;
  return {
    millis: Math.max(0, Math.min(longest, left)),
    signal: controller.signal,
    end: () => call.off('cancelled', onCancelled),
  };
}
