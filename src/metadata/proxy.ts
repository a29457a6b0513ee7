import { bounded } from '../base/bounded.ts';
import type { Clock } from '../base/clock.ts';
import { type AllowRoute, allowNothing } from './allow-route.ts';
import { createReply, createTextReply, plainText, type Reply } from './reply.ts';
import { createUpstream, type UpstreamOutcome } from './upstream.ts';
import { createUpstreamToken } from './upstream-token.ts';

export interface MetadataProxyOptions {
  /** `--allow-route-regexp`, compiled. Default: nothing. */
  readonly allowRoute?: AllowRoute;
  /** The real metadata service. Default `http://169.254.169.254`. */
  readonly upstream?: string;
  /** How long one request may take in all, in milliseconds. Default 3,000. */
  readonly timeoutMillis?: number;
  /** Longer answers are not passed on. Default 1 MiB. */
  readonly maxBytes?: number;
}

/** The way to the real metadata service for what is not ours. */
export interface MetadataProxy {
  allows(path: string): boolean;
  /** To a request that is not allowed. kiam's text. */
  blocked(path: string): Reply;
  /** Asks upstream. `path` is that of a route of kind `other`, and allowed. Rejects only when the signal aborts. */
  get(path: string, signal: AbortSignal): Promise<Reply>;
  close(): void;
}

/** Of the upstream's headers only these mean something to the client. */
const passed = [
  ['last-modified', 'Last-Modified'],
  ['etag', 'ETag'],
] as const;

/**
 * Passes allowed paths to the real metadata service: by GET, with a session token of its own, without any header of
 * the client's. The answer is read whole before the first byte goes on, so that each has a length and none is ever
 * cut off in the middle.
 */
export function createMetadataProxy(
  options: MetadataProxyOptions & { readonly clock: Clock },
): MetadataProxy {
  const { clock, timeoutMillis = 3_000, maxBytes = 1_048_576 } = options;
  const { expression, allows } = options.allowRoute ?? allowNothing;
  const upstream = createUpstream({
    base: options.upstream ?? 'http://169.254.169.254',
    maxBytes,
    maxConnections: 16,
  });
  const closing = new AbortController();
  const tokens = createUpstreamToken({ upstream, clock, timeoutMillis, signal: closing.signal });

  async function send(path: string, signal: AbortSignal): Promise<UpstreamOutcome> {
    const first = await sendOnce(path, signal);
    // The token may have been lost upstream, or version 1 switched off there since: once more with a new one.
    return first.kind === 'answered' && first.status === 401 ? sendOnce(path, signal) : first;
  }

  async function sendOnce(path: string, signal: AbortSignal): Promise<UpstreamOutcome> {
    const state = await tokens.get();
    if (state.kind === 'failed') return state;
    const headers = state.kind === 'token' ? { 'X-aws-ec2-metadata-token': state.token } : {};
    const outcome = await upstream.send({ method: 'GET', path, headers }, signal);
    if (outcome.kind === 'answered' && outcome.status === 401) tokens.forget(state);
    return outcome;
  }

  return {
    allows,
    blocked: (path) => createTextReply(404, `request blocked by allow-route-regexp "${expression}": ${path}`),
    async get(path, signal) {
      const outcome = await bounded(
        clock,
        timeoutMillis,
        AbortSignal.any([signal, closing.signal]),
        (within) => send(path, within),
      );
      if (outcome.kind === 'timeout') return badGateway(`it gave no answer within ${timeoutMillis} ms`);
      return replyOf(outcome.value);
    },
    close() {
      closing.abort(new DOMException('the metadata door is closing', 'AbortError'));
      upstream.close();
    },
  };
}

function replyOf(outcome: UpstreamOutcome): Reply {
  if (outcome.kind === 'failed') return badGateway(outcome.problem);
  const { status, headers, body } = outcome;
  // No redirect ever reaches a client, and a 401 would tell it that its own token is bad.
  if (status < 200 || status === 401 || (status >= 300 && status < 400) || status > 599) {
    return badGateway(`it answered ${status}`);
  }
  const extra = passed.flatMap(([key, name]) =>
    typeof headers[key] === 'string' ? [name, headers[key]] : [],
  );
  return createReply(status, headers['content-type'] ?? plainText, body, { extra });
}

function badGateway(problem: string): Reply {
  return createTextReply(502, `the metadata service behind podpass cannot be read: ${problem}`);
}
