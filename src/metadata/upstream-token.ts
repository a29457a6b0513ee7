import { bounded } from '../base/bounded.ts';
import type { Clock } from '../base/clock.ts';
import { ttlHeader } from './request-headers.ts';
import { longestTokenTtl } from './session-token.ts';
import { failureOf, type Upstream } from './upstream.ts';
import { gather } from './upstream-body.ts';
import type { UpstreamFailure } from './upstream-failure.ts';

/** What to send to the real metadata service as session token. */
export type UpstreamTokenState =
  | { readonly kind: 'token'; readonly token: string }
  /** The service has no IMDSv2. */
  | { readonly kind: 'none' }
  | UpstreamFailure;

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
const longestToken = 1_024;
const shape = /^[!-~]+$/;

export function createUpstreamToken({
  upstream,
  clock,
  timeoutMillis,
  signal,
}: UpstreamTokenOptions): UpstreamToken {
  let known: { readonly state: UpstreamTokenState; readonly until: number } | undefined;
  let asking: Promise<UpstreamTokenState> | undefined;

  async function ask(): Promise<UpstreamTokenState> {
    const life = new AbortController();
    try {
      const asked = await bounded(clock, timeoutMillis, signal, (within) => {
        within.addEventListener('abort', () => life.abort(within.reason), { once: true });
        return send(life.signal);
      });
      return asked.kind === 'done' ? asked.value : noToken('it gave no session token in time');
    } catch (thrown) {
      return failureOf(thrown);
    } finally {
      life.abort();
      asking = undefined;
    }
  }

  async function send(within: AbortSignal): Promise<UpstreamTokenState> {
    const outcome = await upstream.send(
      { method: 'PUT', path: '/latest/api/token', headers: { [ttlHeader]: String(longestTokenTtl) } },
      within,
    );
    if (outcome.kind === 'failed') return outcome;
    const { status, headers, body } = outcome;
    // Only these say that there is no IMDSv2. Anything else may pass, and version 1 may be switched off.
    if (status === 404 || status === 405) return keep({ kind: 'none' }, believed);
    const text = await gather(body, longestToken);
    const token = text.kind === 'whole' ? Buffer.from(text.bytes).toString('latin1') : '';
    if (status !== 200 || !shape.test(token)) {
      return noToken(`it answered ${status} to the request for a session token`);
    }
    const seconds = Number(headers[ttlHeader.toLowerCase()] ?? longestTokenTtl);
    const lifetime = Number.isFinite(seconds) ? Math.min(seconds, longestTokenTtl) * 1_000 : 0;
    return keep({ kind: 'token', token }, lifetime - margin);
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

function noToken(problem: string): UpstreamFailure {
  return { kind: 'failed', reason: 'no-token', problem };
}
