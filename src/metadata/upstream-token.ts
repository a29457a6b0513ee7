import { bounded } from '../base/bounded.ts';
import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import { ttlHeader } from './request-headers.ts';
import { longestTokenTtl } from './session-token.ts';
import type { Upstream } from './upstream.ts';

/** What to send to the real metadata service as session token. */
export type UpstreamTokenState =
  | { readonly kind: 'token'; readonly token: string }
  /** The service has no IMDSv2. */
  | { readonly kind: 'none' }
  | { readonly kind: 'failed'; readonly problem: string };

/** The agent's own session token at the real metadata service; pods' tokens are ours and mean nothing there. */
export interface UpstreamToken {
  get(): Promise<UpstreamTokenState>;
  /** Says that the service did not take this state. The next `get` asks for a new one. */
  forget(state: UpstreamTokenState): void;
}

export interface UpstreamTokenOptions {
  readonly upstream: Upstream;
  readonly clock: Clock;
  /** How long asking for a token may take, in milliseconds. */
  readonly timeoutMillis: number;
  /** Of shutdown: a request for a token serves everybody who waits for it. */
  readonly signal: AbortSignal;
}

/** A token is replaced this long before its end, and "no IMDSv2" is believed for so long. Milliseconds. */
const margin = 60_000;
const believed = 300_000;
/** As it may stand in a header. */
const shape = /^[!-~]{1,1024}$/;

export function createUpstreamToken({
  upstream,
  clock,
  timeoutMillis,
  signal,
}: UpstreamTokenOptions): UpstreamToken {
  let known: { readonly state: UpstreamTokenState; readonly until: number } | undefined;
  let asking: Promise<UpstreamTokenState> | undefined;

  async function ask(): Promise<UpstreamTokenState> {
    try {
      const outcome = await bounded(clock, timeoutMillis, signal, (within) =>
        upstream.send(
          { method: 'PUT', path: '/latest/api/token', headers: { [ttlHeader]: String(longestTokenTtl) } },
          within,
        ),
      );
      if (outcome.kind === 'timeout') return { kind: 'failed', problem: 'it gave no session token in time' };
      if (outcome.value.kind === 'failed') return outcome.value;
      return read(outcome.value.status, outcome.value.body, outcome.value.headers[ttlHeader.toLowerCase()]);
    } catch (thrown) {
      return { kind: 'failed', problem: messageOf(thrown) };
    } finally {
      asking = undefined;
    }
  }

  function read(status: number, body: Uint8Array, ttl: string | string[] | undefined): UpstreamTokenState {
    // Only these say that there is no IMDSv2. Anything else may pass, and version 1 may be switched off.
    if (status === 404 || status === 405) return keep({ kind: 'none' }, believed);
    const token = Buffer.from(body).toString('latin1');
    if (status !== 200 || !shape.test(token)) {
      return { kind: 'failed', problem: `it answered ${status} to the request for a session token` };
    }
    const seconds = Number(ttl ?? longestTokenTtl);
    return keep({ kind: 'token', token }, Number.isFinite(seconds) ? seconds * 1_000 - margin : 0);
  }

  function keep(state: UpstreamTokenState, millis: number): UpstreamTokenState {
    known = { state, until: clock.monotonic() + millis };
    return state;
  }

  return {
    async get() {
      if (known && clock.monotonic() < known.until) return known.state;
      asking ??= ask();
      return asking;
    },
    forget(state) {
      if (known?.state === state) known = undefined;
    },
  };
}
