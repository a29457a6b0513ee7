import type { Clock } from '../base/clock.ts';

export interface TokenBucketOptions {
  readonly clock: Clock;
  /** Tokens that grow back each second while all is well. */
  readonly perSecond: number;
  /** Tokens that a full bucket holds. At least 1. */
  readonly burst: number;
}

/** A budget of calls that shrinks when the other side says it is too much, and grows back. */
export interface TokenBucket {
  /** Takes a token if there is one. */
  tryTake(): boolean;
  /** Milliseconds until a token is there; 0 if one is. Never too short, at most slightly too long. */
  untilNext(): number;
  /**
   * The other side is throttling: empties the bucket and halves its rate, at most once a second, because one storm
   * answers many calls at once. The rate grows back over the next minute.
   */
  slowDown(): void;
  /** Full and at its full rate: it remembers nothing, so it may be forgotten. */
  readonly fresh: boolean;
}

const recoveryMillis = 60_000;
const halvingIntervalMillis = 1_000;
/** The rate is never below this part of the full one, so that a storm is noticed to have ended. */
const floorPart = 1 / 32;
/** Tokens are sums of fractions; a whole one may come out as 0.999999. */
const rounding = 1e-6;

export function createTokenBucket({ clock, perSecond, burst }: TokenBucketOptions): TokenBucket {
  const fullRate = perSecond / 1_000;
  let tokens = burst;
  let refilledAt = clock.monotonic();
  let slowedAt = Number.NEGATIVE_INFINITY;
  let slowedRate = fullRate;

  /** Tokens per millisecond at a monotonic time: back from the slowed to the full rate in a straight line. */
  function rateAt(time: number): number {
    const recovered = Math.min((time - slowedAt) / recoveryMillis, 1);
    return slowedRate + (fullRate - slowedRate) * recovered;
  }

  function refill(): void {
    const now = clock.monotonic();
    // The mean of both ends is exact on the line and too little across its end: never more than the budget.
    tokens = Math.min(burst, tokens + ((now - refilledAt) * (rateAt(refilledAt) + rateAt(now))) / 2);
    refilledAt = now;
  }

  return {
    tryTake() {
      refill();
      if (tokens < 1 - rounding) return false;
      tokens = Math.max(0, tokens - 1);
      return true;
    },
    untilNext() {
      refill();
      if (tokens >= 1 - rounding) return 0;
      return Math.ceil((1 - tokens) / rateAt(refilledAt));
    },
    slowDown() {
      refill();
      if (refilledAt - slowedAt < halvingIntervalMillis) return;
      slowedRate = Math.max(rateAt(refilledAt) / 2, fullRate * floorPart);
      slowedAt = refilledAt;
      tokens = 0;
    },
    get fresh() {
      refill();
      return tokens >= burst && refilledAt - slowedAt >= recoveryMillis;
    },
  };
}
