import { type Backoff, createBackoff } from '../base/backoff.ts';
import { bounded } from '../base/bounded.ts';
import type { Clock, Timer } from '../base/clock.ts';
import { formatDuration } from '../base/duration.ts';
import type { Random } from '../base/random.ts';
import { credentialFields } from '../telemetry/log-fields.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { CallQueue, QueuedCall } from './call-queue.ts';
import {
  millisLeft,
  minimumValidMillis,
  refreshBelow,
  refusedBackoff,
  unavailableBackoff,
  urgentMillis,
} from './refresh-schedule.ts';
import type {
  AssumeRoleOutcome,
  Credentials,
  SessionIdentity,
  SessionState,
  StsBackend,
  StsProblem,
} from './session.ts';
import { accountOfRole } from './session-key.ts';
import { isSameState } from './session-state.ts';

/** What all sessions of a cache share. */
export interface SessionContext {
  readonly backend: StsBackend;
  readonly queue: CallQueue;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** A refresh begins before less than this is left. */
  readonly refreshMillis: number;
  /** The bound of one call. */
  readonly callTimeoutMillis: number;
  /** Aborts when the cache closes. */
  readonly shutdown: AbortSignal;
  /** Called when what STS answered has been judged by the clock of that moment. */
  readonly onJudged: () => void;
}

/** One identity's credentials: fetched once for all who want them, and kept fresh. */
export interface CachedSession {
  /** As of now: never credentials that are about to expire, even if no timer has noticed yet. */
  readonly state: SessionState;
  /** A call of STS is under way. */
  readonly calling: boolean;
  /** Adds a listener; returns what removes it. The first one causes the first call. */
  subscribe(listener: (state: SessionState) => void): () => void;
  /** Looks at the clock again and does what is due. */
  reconsider(): void;
  close(): void;
}

interface Held {
  readonly credentials: Credentials;
  /** Milliseconds left at which a refresh is due. */
  readonly refreshBelow: number;
}

interface Failure {
  /**
   * `refused` is STS's last word on the identity. It stays while STS is too busy for another, but no longer than
   * `refusalMillis`: after that nobody knows, and who asks is told to come again.
   */
  readonly kind: 'refused' | 'unavailable';
  readonly problem: StsProblem;
  readonly backoff: Backoff;
  /** Monotonic: when STS said so. */
  readonly saidAt: number;
  /** Monotonic. */
  readonly retryAt: number;
}

const pending: SessionState = { kind: 'pending' };

/** How long a refusal is believed, and after which STS is asked again at the latest. */
const refusalMillis = refusedBackoff.max;

/**
 * `onSettled` is called after each call of STS.
 *
 * All that can happen (a call ends, a timer fires, the clock is set, somebody subscribes) leads to `reconsider`, which
 * derives from what is held what is shown, what is due and when to look again. There is no other order of events to
 * get right.
 */
export function createCachedSession(
  identity: SessionIdentity,
  context: SessionContext,
  onSettled: () => void,
): CachedSession {
  const { backend, queue, clock, random, logger, metrics, callTimeoutMillis } = context;
  const account = accountOfRole(identity.roleArn);
  const listeners = new Set<{ readonly tell: (state: SessionState) => void }>();
  let held: Held | undefined;
  let failure: Failure | undefined;
  let shown = pending;
  let queued: QueuedCall | undefined;
  let calling = false;
  let closed = false;
  let timer: Timer | undefined;

  /** kiam's keys. Made when needed: a child logger for each session would cost more memory than the session. */
  function fields() {
    return credentialFields(identity);
  }

  function judge(): SessionState {
    if (held && millisLeft(held.credentials, clock) >= minimumValidMillis) {
      const { credentials } = held;
      return failure
        ? { kind: 'issued', credentials, problem: failure.problem }
        : { kind: 'issued', credentials };
    }
    return failure ? { kind: failure.kind, ...failure.problem } : pending;
  }

  function show(state: SessionState): void {
    if (isSameState(state, shown)) return;
    shown = state;
    for (const listener of [...listeners]) {
      // A listener may have removed another one, or brought about a newer state that all were told of.
      if (shown !== state) return;
      if (!listeners.has(listener)) continue;
      try {
        listener.tell(state);
      } catch (err) {
        logger.error({ ...fields(), err, code: 'ERR_INTERNAL' }, 'a listener of a session failed');
      }
    }
  }

  function reconsider(): void {
    if (closed) return;
    if (held && millisLeft(held.credentials, clock) < minimumValidMillis) {
      held = undefined;
      logger.warn(
        { ...fields(), ...problemFields(failure?.problem) },
        'credentials expire before STS gave new ones',
      );
    }
    show(judge());
    plan();
  }

  function plan(): void {
    if (closed) return;
    if (queued) {
      if (listeners.size === 0) dequeue();
      else if (isUrgent()) queued.promote();
    } else if (!calling && untilDue() <= 0) {
      enqueue();
    }
    arm();
  }

  /** Milliseconds until STS is to be called; infinite while nobody wants it. */
  function untilDue(): number {
    if (listeners.size === 0) return Number.POSITIVE_INFINITY;
    if (failure) return failure.retryAt - clock.monotonic();
    return held ? millisLeft(held.credentials, clock) - held.refreshBelow : 0;
  }

  function isUrgent(): boolean {
    return !held || millisLeft(held.credentials, clock) <= urgentMillis;
  }

  function arm(): void {
    timer?.cancel();
    let wait = Number.POSITIVE_INFINITY;
    if (held) {
      const left = millisLeft(held.credentials, clock);
      wait = left - minimumValidMillis + 1;
      if (queued && left > urgentMillis) wait = Math.min(wait, left - urgentMillis);
    }
    if (!calling && !queued) wait = Math.min(wait, untilDue());
    timer =
      wait < Number.POSITIVE_INFINITY ? clock.setTimer(Math.max(1, Math.ceil(wait)), reconsider) : undefined;
  }

  function enqueue(): void {
    let begun = false;
    const call = queue.enqueue(account, isUrgent(), () => {
      begun = true;
      queued = undefined;
      return fetch();
    });
    if (!begun) queued = call;
  }

  function dequeue(): void {
    queued?.cancel();
    queued = undefined;
  }

  async function fetch(): Promise<void> {
    const calledAt = clock.monotonic();
    calling = true;
    metrics.stsCurrent.inc();
    const outcome = await callBackend();
    metrics.stsCurrent.dec();
    calling = false;
    if (closed) return;
    metrics.stsTiming.observe((clock.monotonic() - calledAt) / 1_000);
    metrics.stsOutcomes.inc({ outcome: outcome.kind });
    if (outcome.kind === 'issued') settleIssued(outcome.credentials, calledAt);
    else settleFailed(outcome);
    reconsider();
    context.onJudged();
    onSettled();
  }

  async function callBackend(): Promise<AssumeRoleOutcome> {
    try {
      const result = await bounded(clock, callTimeoutMillis, context.shutdown, async (signal) =>
        backend.assumeRole(identity, signal),
      );
      if (result.kind === 'done') return result.value;
      const message = `STS did not answer within ${formatDuration(callTimeoutMillis)}.`;
      return { kind: 'unavailable', code: 'RequestTimeout', message };
    } catch (err) {
      if (!context.shutdown.aborted)
        logger.error({ ...fields(), err, code: 'ERR_INTERNAL' }, 'calling STS failed');
      return { kind: 'unavailable', code: 'InternalError', message: 'Calling STS failed; see the log.' };
    }
  }

  function settleIssued(credentials: Credentials, calledAt: number): void {
    if (millisLeft(credentials, clock) < minimumValidMillis) {
      const until = new Date(credentials.expiration).toISOString();
      const message = `STS issued credentials until ${until}, which is over or about to be by the clock of this machine. Correct the clock.`;
      settleFailed({ kind: 'unavailable', code: 'ClockSkew', message });
      return;
    }
    held = { credentials, refreshBelow: refreshBelow(credentials, calledAt, random, context.refreshMillis) };
    failure = undefined;
    const issued = credentialFields(identity, credentials.expiration);
    logger.info(issued, 'requested new credentials');
    // For matching with CloudTrail, by those who ask for it (kiam#225 was about having it in every log).
    logger.debug({ ...issued, 'credentials.access.key': credentials.accessKeyId }, 'access key issued');
  }

  function settleFailed(outcome: Exclude<AssumeRoleOutcome, { kind: 'issued' }>): void {
    metrics.stsErrors.inc();
    if (outcome.kind === 'throttled') queue.slowDown(account);
    const last = failure;
    const now = clock.monotonic();
    const next = describeFailure(outcome, last, now);
    const retryAt = now + next.backoff.next();
    failure = {
      ...next,
      retryAt: next.kind === 'refused' ? Math.min(retryAt, next.saidAt + refusalMillis) : retryAt,
    };
    if (last && last.kind === next.kind && isSameProblem(last.problem, next.problem)) return;
    logger.warn(
      { ...fields(), 'sts.outcome': outcome.kind, ...problemFields(next.problem) },
      'error requesting credentials',
    );
  }

  function describeFailure(
    { kind, code, message }: Exclude<AssumeRoleOutcome, { kind: 'issued' }>,
    last: Failure | undefined,
    now: number,
  ): Omit<Failure, 'retryAt'> {
    const problem = { code, message };
    if (kind === 'refused') {
      const backoff = last?.kind === 'refused' ? last.backoff : createBackoff(refusedBackoff, random);
      return { kind: 'refused', problem, backoff, saidAt: now };
    }
    if (last?.kind === 'refused' && now - last.saidAt < refusalMillis) return last;
    const backoff = last?.kind === 'unavailable' ? last.backoff : createBackoff(unavailableBackoff, random);
    return { kind: 'unavailable', problem, backoff, saidAt: now };
  }

  return {
    get state() {
      const current = judge();
      return isSameState(current, shown) ? shown : current;
    },
    get calling() {
      return calling;
    },
    subscribe(tell) {
      // Others hear now of what has changed unnoticed; the new listener starts from there.
      reconsider();
      const listener = { tell };
      listeners.add(listener);
      plan();
      return () => {
        listeners.delete(listener);
        plan();
      };
    },
    reconsider,
    close() {
      closed = true;
      timer?.cancel();
      dequeue();
      listeners.clear();
    },
  };
}

function problemFields(problem: StsProblem | undefined) {
  return problem ? { 'sts.code': problem.code, 'sts.message': problem.message } : {};
}

function isSameProblem(a: StsProblem, b: StsProblem): boolean {
  return a.code === b.code && a.message === b.message;
}
