import { bounded } from '../base/bounded.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { type AllowRoute, allowNothing } from './allow-route.ts';
import { createFairSlots } from './fair-slots.ts';
import { type ProxyBounds, type ProxyRequest, readAnswer } from './proxy-answer.ts';
import { createTextReply, type Reply, type StreamedReply } from './reply.ts';
import { createUpstream, failureOf, type UpstreamOutcome } from './upstream.ts';
import { createFailureReport, type UpstreamFailure } from './upstream-failure.ts';
import { createUpstreamToken } from './upstream-token.ts';

export interface MetadataProxyOptions {
  /** `--allow-route-regexp`, compiled. Default: nothing. */
  readonly allowRoute?: AllowRoute;
  /** The real metadata service. Default `http://169.254.169.254`. */
  readonly upstream?: string;
  /** What one answer may take. */
  readonly bounds?: Partial<ProxyBounds>;
  /** Requests upstream at a time: in all, and for one address. More wait their turn, within their time. */
  readonly slots?: { readonly total: number; readonly each: number };
}

/** The way to the real metadata service for what is not ours. */
export interface MetadataProxy {
  allows(path: string): boolean;
  /** To a request that is not allowed. kiam's text. */
  blocked(path: string): Reply;
  /** Asks upstream. Rejects only when the signal aborts; then nothing of the request is left. */
  pass(request: ProxyRequest, signal: AbortSignal): Promise<Reply | StreamedReply>;
  close(): void;
}

/** The real service answers at once, and with a few kilobytes: the rest is for what stands in its place. */
const defaultBounds: ProxyBounds = {
  waitMillis: 1_000,
  wholeBytes: 65_536,
  maxBytes: 1_048_576,
  timeoutMillis: 3_000,
  stallMillis: 3_000,
  streamMillis: 30_000,
};

/**
 * Passes allowed paths to the real metadata service, with a session token of its own and the few headers of the
 * client's that choose among answers.
 */
export function createMetadataProxy(
  options: MetadataProxyOptions & {
    readonly clock: Clock;
    readonly metrics: Metrics;
    readonly logger: Logger;
  },
): MetadataProxy {
  const { clock } = options;
  const bounds = { ...defaultBounds, ...options.bounds };
  const { timeoutMillis } = bounds;
  const { expression, allows } = options.allowRoute ?? allowNothing;
  const upstream = createUpstream(options.upstream ?? 'http://169.254.169.254');
  const closing = new AbortController();
  const tokens = createUpstreamToken({ upstream, clock, timeoutMillis, signal: closing.signal });
  const slots = createFairSlots(options.slots ?? { total: 16, each: 4 });
  const report = createFailureReport(options.metrics, options.logger, clock);

  async function send(request: ProxyRequest, signal: AbortSignal): Promise<UpstreamOutcome> {
    const first = await sendOnce(request, signal);
    if (first.kind === 'failed' || first.status !== 401) return first;
    // The token may have been lost upstream, or version 1 switched off there since: once more with a new one.
    first.body.destroy();
    return sendOnce(request, signal);
  }

  async function sendOnce(
    { method, path, headers }: ProxyRequest,
    signal: AbortSignal,
  ): Promise<UpstreamOutcome> {
    const state = await tokens.get();
    if (state.kind === 'failed') return state;
    const token = state.kind === 'token' ? { 'X-aws-ec2-metadata-token': state.token } : {};
    const outcome = await upstream.send({ method, path, headers: { ...headers, ...token } }, signal);
    if (outcome.kind === 'answered' && outcome.status === 401) tokens.forget(state);
    return outcome;
  }

  async function ask(
    request: ProxyRequest,
    life: AbortController,
  ): Promise<Reply | StreamedReply | UpstreamFailure> {
    try {
      const outcome = await send(request, life.signal);
      if (outcome.kind === 'failed') return outcome;
      return await readAnswer(outcome, request, { ...bounds, clock, life, onFailure: report.tell });
    } catch (thrown) {
      life.signal.throwIfAborted();
      return failureOf(thrown);
    }
  }

  /** `life` is that of the whole request: it ends what goes on upstream, and gives the place back. */
  async function attempt(
    request: ProxyRequest,
    life: AbortController,
  ): Promise<Reply | StreamedReply | UpstreamFailure> {
    const turn = await bounded(clock, bounds.waitMillis, life.signal, () =>
      slots.take(request.address, life.signal),
    );
    if (turn.kind === 'timeout') return busy;
    const asked = await bounded(clock, timeoutMillis, life.signal, () => ask(request, life));
    return asked.kind === 'done' ? asked.value : tooLate(timeoutMillis);
  }

  async function pass(request: ProxyRequest, signal: AbortSignal): Promise<Reply | StreamedReply> {
    const life = new AbortController();
    const end = (event: Event) => life.abort((event.target as AbortSignal).reason);
    signal.throwIfAborted();
    closing.signal.throwIfAborted();
    signal.addEventListener('abort', end, { once: true, signal: life.signal });
    closing.signal.addEventListener('abort', end, { once: true, signal: life.signal });
    let streams = false;
    try {
      const answer = await attempt(request, life);
      if ('kind' in answer) {
        report.tell(answer);
        return replyTo(answer);
      }
      streams = 'pour' in answer;
      return answer;
    } finally {
      // A stream ends its life itself.
      if (!streams) life.abort(new DOMException('the request is over', 'AbortError'));
    }
  }

  return {
    allows,
    blocked: (path) => createTextReply(404, `request blocked by allow-route-regexp "${expression}": ${path}`),
    pass,
    close() {
      closing.abort(new DOMException('the metadata door is closing', 'AbortError'));
      upstream.close();
    },
  };
}

const busy: UpstreamFailure = {
  kind: 'failed',
  reason: 'busy',
  problem: 'too many requests for it are under way. Ask again.',
};

function tooLate(millis: number): UpstreamFailure {
  return { kind: 'failed', reason: 'timeout', problem: `it gave no answer within ${millis} ms` };
}

function replyTo({ reason, problem }: UpstreamFailure): Reply {
  const text = `the metadata service behind podpass cannot be read: ${problem}`;
  return reason === 'busy'
    ? createTextReply(503, text, { extra: ['Retry-After', '1'] })
    : createTextReply(502, text);
}
