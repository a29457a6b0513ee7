import type { Random } from '../../base/random.ts';
import { matchesWildcard } from './wildcard.ts';

/** What goes wrong on request. */
export type StsFault = FaultScope &
  (
    | {
        /** The answer comes later by so many milliseconds, or by a number drawn between two. */
        readonly kind: 'latency';
        readonly millis: number | readonly [number, number];
      }
    /** HTTP 400 `Throttling`. */
    | { readonly kind: 'throttle' }
    /** HTTP 403 `AccessDenied`, as if the role did not trust the caller. */
    | { readonly kind: 'refuse' }
    /** 500 `InternalFailure` or 503 `ServiceUnavailable`. */
    | { readonly kind: 'server-error'; readonly status: 500 | 503 }
    /** The connection is reset without an answer. */
    | { readonly kind: 'reset' }
    /**
     * Sessions issued end after so many seconds, which may be fewer than STS's 900. `announced`: their Expiration says
     * so; otherwise they stop working before the time they state.
     */
    | { readonly kind: 'early-expiry'; readonly seconds: number; readonly announced: boolean }
  );

interface FaultScope {
  /** Only calls for roles whose ARN matches this IAM wildcard. Default: every call. */
  readonly role?: string;
  /** Ends after so many calls. Default: goes on until removed. */
  readonly times?: number;
  /** Strikes this share of calls, 0 to 1. Default: all. */
  readonly rate?: number;
}

/** The faults in force. */
export interface StsFaults {
  /** Adds a fault. Returns how to remove it. */
  add(fault: StsFault): () => void;
  clear(): void;
  readonly active: readonly StsFault[];
}

/** What strikes one call: any delay, and at most one thing that ends it. */
export interface FaultDraw {
  readonly delayMillis: number;
  readonly ending: (StsFault & { kind: 'throttle' | 'refuse' | 'server-error' | 'reset' }) | undefined;
  readonly earlyExpiry: (StsFault & { kind: 'early-expiry' }) | undefined;
}

/** Keeps the faults, in the order they were added. `draw` is for the STS itself: it spends `times`. */
export function createFaults(random: Random): StsFaults & { draw(roleArn: string | undefined): FaultDraw } {
  const entries = new Set<{ readonly fault: StsFault; left: number }>();
  return {
    add(fault) {
      const entry = { fault, left: fault.times ?? Number.POSITIVE_INFINITY };
      entries.add(entry);
      return () => entries.delete(entry);
    },
    clear: () => entries.clear(),
    get active() {
      return Array.from(entries, ({ fault }) => fault);
    },
    draw(roleArn) {
      let delayMillis = 0;
      let earlyExpiry: FaultDraw['earlyExpiry'];
      for (const entry of entries) {
        const { fault } = entry;
        if (!applies(fault, roleArn) || (fault.rate !== undefined && random.next() >= fault.rate)) continue;
        entry.left -= 1;
        if (entry.left <= 0) entries.delete(entry);
        switch (fault.kind) {
          case 'latency':
            delayMillis += drawMillis(fault.millis, random);
            break;
          case 'early-expiry':
            earlyExpiry ??= fault;
            break;
          case 'throttle':
          case 'refuse':
          case 'server-error':
          case 'reset':
            // Faults behind this one have not struck: the call did not get as far.
            return { delayMillis, ending: fault, earlyExpiry };
        }
      }
      return { delayMillis, ending: undefined, earlyExpiry };
    },
  };
}

function applies(fault: StsFault, roleArn: string | undefined): boolean {
  return fault.role === undefined || (roleArn !== undefined && matchesWildcard(fault.role, roleArn));
}

function drawMillis(millis: number | readonly [number, number], random: Random): number {
  if (typeof millis === 'number') return millis;
  const [from, to] = millis;
  return from + (to - from) * random.next();
}
