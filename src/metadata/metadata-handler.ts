import type { Clock } from '../base/clock.ts';
import { unreachable } from '../base/errors.ts';
import type { Answer, Broker, Caller } from '../broker/broker.ts';
import { isRequestedRole } from '../broker/requested-role.ts';
import type { AnswerReplies } from './answer-reply.ts';
import type { Connection } from './connection.ts';
import type { Exchange, Step } from './exchange.ts';
import type { Meter } from './meter.ts';
import { headersForUpstream } from './passed-headers.ts';
import type { MetadataProxy } from './proxy.ts';
import { createReply, createTextReply, plainText } from './reply.ts';
import { ttlHeader } from './request-headers.ts';
import type { Route } from './route.ts';
import { longestTokenTtl, type TokenSigner } from './session-token.ts';

/** `v2-required`: requests need a session token. `v2-preferred`: a token is checked where there is one. */
export type ImdsMode = 'v2-required' | 'v2-preferred';

export interface MetadataHandlerOptions {
  readonly broker: Broker;
  readonly tokenSigner: TokenSigner;
  readonly imds: ImdsMode;
  /** How long to hold a request of a pod that is not known yet, in milliseconds. */
  readonly podWaitMillis: number;
  /**
   * Refuse token requests with `X-Forwarded-For`, as EC2 does. Not by default: proxies inside a cluster add the header
   * to the requests of the very pods that we serve (users of kube2iam met that more than once), and who asks is told
   * here by the address of the connection and by no header.
   */
  readonly rejectForwarded: boolean;
  readonly replies: AnswerReplies;
  readonly proxy: MetadataProxy;
  readonly clock: Clock;
  readonly meter: Meter;
  /** Told of each request that the proxy does not allow. */
  readonly onBlocked: () => void;
}

/** Answers what stands under the metadata tree. */
export interface MetadataHandler {
  /** GET or HEAD of anything but the token. */
  get(exchange: Exchange): Step;
  /** PUT of the token. */
  putToken(exchange: Exchange): Step;
}

/**
 * The table of docs/metadata-protocol.md. Each way ends in `broker.ask` and a write in the same turn
 * of the event loop, whatever was waited for before: the pod that is answered owns the address at that moment.
 */
export function createMetadataHandler(options: MetadataHandlerOptions): MetadataHandler {
  const { broker, tokenSigner, replies, proxy, clock, meter } = options;

  function get(exchange: Exchange): Step {
    if (exchange.headers.token === undefined && options.imds === 'v2-required') return tokenMissing;
    return attemptGet(exchange, false);
  }

  /** Answers from memory; or waits, and is then called for the last time. */
  function attemptGet(exchange: Exchange, last: boolean): Step {
    const { route, headers, connection } = exchange;
    // What is not about a role needs no pod, unless there is a token to check.
    if (!isAboutRole(route) && headers.token === undefined) return passOn(exchange);

    const answer = broker.ask(exchange.address);
    const caller = callerOf(answer);
    exchange.caller = caller;
    if (caller && headers.token !== undefined && !isAccepted(headers.token, caller.uid, connection)) {
      return tokenWrong;
    }
    if (!last && isWorthWaiting(answer, route)) return patiently(exchange, attemptGet);
    if (caller && !isAboutRole(route)) return passOn(exchange);
    countMishap(exchange, answer);
    return route.kind === 'credentials' ? replies.credentials(answer, route.role) : replies.list(answer);
  }

  function putToken(exchange: Exchange): Step {
    const { ttl = '', forwarded } = exchange.headers;
    if (options.rejectForwarded && forwarded) return wasForwarded;
    const seconds = /^\d{1,5}$/.test(ttl) ? Number(ttl) : 0;
    if (seconds < 1 || seconds > longestTokenTtl) return ttlWrong;
    return attemptPut(exchange, seconds, false);
  }

  function attemptPut(exchange: Exchange, seconds: number, last: boolean): Step {
    const answer = broker.ask(exchange.address);
    const caller = callerOf(answer);
    exchange.caller = caller;
    if (caller) {
      const token = tokenSigner.sign(caller.uid, seconds);
      // Without the header some SDKs fail, and others fall back to IMDSv1.
      return createReply(200, plainText, token, { extra: [ttlHeader, String(seconds)] });
    }
    if (!last && answer.kind === 'unknown') {
      return patiently(exchange, (again) => attemptPut(again, seconds, true));
    }
    countMishap(exchange, answer);
    return replies.list(answer);
  }

  /** A connection remembers the token that it last proved: a client that keeps it open is checked in full once. */
  function isAccepted(token: string, uid: string, connection: Connection): boolean {
    if (token === connection.token && uid === connection.tokenUid && clock.now() < connection.tokenUntil)
      return true;
    if (tokenSigner.verify(token, uid) !== 'valid') return false;
    connection.token = token;
    connection.tokenUid = uid;
    connection.tokenUntil = tokenSigner.expiration(token);
    return true;
  }

  /** Holds the request until the broker may know more. */
  function patiently(exchange: Exchange, attempt: (exchange: Exchange, last: boolean) => Step): Step {
    const wanted = exchange.route.kind === 'credentials' ? 'credentials' : 'role';
    return {
      async work(signal) {
        await broker.askPatiently(exchange.address, {
          waitMillis: options.podWaitMillis,
          signal,
          for: wanted,
        });
        return () => attempt(exchange, true);
      },
    };
  }

  /** Everything that is not ours: sent upstream if that is allowed. */
  function passOn({ route, request, address }: Exchange): Step {
    if (route.kind !== 'other') return notFound;
    const { path } = route;
    if (!proxy.allows(path)) {
      options.onBlocked();
      return proxy.blocked(path);
    }
    return {
      async work(signal) {
        const reply = await proxy.pass(
          {
            method: request.method === 'HEAD' ? 'HEAD' : 'GET',
            path,
            headers: headersForUpstream(request.rawHeaders),
            address,
            chunks: request.httpVersionMinor > 0,
          },
          signal,
        );
        return () => reply;
      },
    };
  }

  function countMishap({ handler }: Exchange, answer: Answer): void {
    switch (answer.kind) {
      case 'unknown':
      case 'undecided':
      case 'ambiguous':
        meter.mishap(handler, 'find-role');
        break;
      case 'no-role':
        meter.mishap(handler, 'empty-role');
        break;
      case 'forbidden':
      case 'refused':
      case 'unavailable':
      case 'pending':
        if (handler === 'credentials') meter.mishap(handler, 'credentials');
        break;
      case 'credentials':
        break;
      default:
        unreachable(answer);
    }
  }

  return { get, putToken };
}

function isAboutRole({ kind }: Route): boolean {
  return kind === 'list' || kind === 'credentials';
}

function isWorthWaiting(answer: Answer, route: Route): boolean {
  switch (answer.kind) {
    case 'unknown':
      return true;
    case 'undecided':
      return isAboutRole(route);
    case 'pending':
      return route.kind === 'credentials' && isRequestedRole(route.role, answer.role);
    default:
      return false;
  }
}

function callerOf(answer: Answer): Caller | undefined {
  return 'caller' in answer ? answer.caller : undefined;
}

const tokenMissing = createTextReply(
  401,
  'a session token is required: PUT /latest/api/token first (IMDSv2).',
);
const tokenWrong = createTextReply(
  401,
  'the session token has expired, or is not one of this pod. Ask for a new one.',
);
const ttlWrong = createTextReply(400, `${ttlHeader} must be a whole number from 1 to ${longestTokenTtl}.`);
const wasForwarded = createTextReply(403, 'requests for session tokens that were forwarded are refused.');
const notFound = createTextReply(404, 'no such metadata.');
