import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';

/** The session tokens of IMDSv2. */
export interface TokenTable {
  /** Makes a token that lasts `seconds`. */
  issue(seconds: number): string;
  isValid(token: string): boolean;
}

/** Keeps at most `capacity` tokens; the oldest go first. */
export function createTokenTable(clock: Clock, random: Random, capacity = 10_000): TokenTable {
  const ends = new Map<string, number>();
  return {
    issue(seconds) {
      const token = Buffer.from(random.bytes(42)).toString('base64url');
      ends.set(token, clock.monotonic() + seconds * 1_000);
      for (const oldest of ends.keys()) {
        if (ends.size <= capacity) break;
        ends.delete(oldest);
      }
      return token;
    },
    isValid(token) {
      const end = ends.get(token);
      if (end === undefined) return false;
      if (clock.monotonic() < end) return true;
      ends.delete(token);
      return false;
    },
  };
}
