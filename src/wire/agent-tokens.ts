import { hash } from 'node:crypto';
import { bounded } from '../base/bounded.ts';
import { type Clock, sleep } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import { createLruMap } from '../cluster/lru-map.ts';
import type { Pod } from '../cluster/objects.ts';
import { createOccasion } from '../cluster/occasion.ts';
import type { TokenIdentity, TokenReviewer, TokenReviewOutcome } from '../cluster/token-review.ts';
import type { Watch } from '../cluster/watch.ts';
import { isFinished } from '../identity/address-claims.ts';
import type { Logger } from '../telemetry/logger.ts';
import { createReviewQueue } from './review-queue.ts';
import { tokenExpiry } from './token-expiry.ts';

/** What a token proves. */
export type TokenProof =
  | ProvenByToken
  /** The token is not an agent's, or not good any more. The message is for a person. */
  | { readonly kind: 'refused'; readonly message: string }
  /** The API server says the token is good, and its pod has not been seen yet. */
  | { readonly kind: 'unready'; readonly message: string }
  /** Nobody could say anything about it. */
  | { readonly kind: 'unreviewed' };

export interface ProvenByToken {
  readonly kind: 'proven';
  readonly nodeName: string;
  readonly podUid: string;
  /** Whether the watch showed the pod. If not, the API server's word stands for it. */
  readonly isSeen: boolean;
}

export interface AgentTokensOptions {
  /** Made for the audience `podpass`. */
  readonly reviewer: TokenReviewer;
  readonly pods: Pick<Watch<Pod>, 'get'>;
  /** `namespace/name` of the service accounts that agents run as. Empty: any. */
  readonly serviceAccounts: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends reviews that are under way. */
  readonly signal: AbortSignal;
}

/** Which node an agent is on, by the token that kubelet gave to its pod. */
export interface AgentTokens {
  /** Answers at once what was asked before; else asks the API server, within a bound. Never rejects. */
  check(token: string): TokenProof | Promise<TokenProof>;
  /** Whether a proof that was given still holds, as far as the watched pods say. */
  holds(proof: ProvenByToken): boolean;
}

/** A review is asked for again after this. Milliseconds, as all of these. */
const goodMillis = 300_000;
/** The same, while the watch does not show the token's pod: the API server's word alone counts, and is asked for often. */
const unseenMillis = 10_000;
/** While the API server cannot be asked, its last yes is believed for so long. */
const lastingMillis = 3_600_000;
const refusedMillis = 10_000;
const failedMillis = 5_000;
/** An agent gives a server 3 s to take its stream. */
const patienceMillis = 2_500;
const podPollMillis = 100;
const maxRemembered = 4_096;
const maxReviews = 8;
const maxWaiting = 256;

/** What is known of one token. Never the token. */
interface Entry {
  accepted?: { readonly identity: TokenIdentity & { readonly pod: object }; readonly at: number };
  refused?: { readonly message: string; readonly at: number };
  failedAt?: number;
  /** Wall clock. */
  readonly expires: number;
  reviewing?: Promise<void>;
}

const unreviewed: TokenProof = { kind: 'unreviewed' };

export function createAgentTokens(options: AgentTokensOptions): AgentTokens {
  const { reviewer, pods, clock, logger, signal } = options;
  const accounts = new Set(options.serviceAccounts);
  const entries = createLruMap<string, Entry>(maxRemembered);
  const queue = createReviewQueue(maxReviews, maxWaiting);
  const mayWarn = createOccasion(clock, 600_000);

  /** What can be said now. `undefined`: the API server has to be asked. */
  function known(entry: Entry): TokenProof | undefined {
    const now = clock.monotonic();
    const isRecent = (at: number | undefined, millis: number) => at !== undefined && now - at < millis;
    const { accepted, refused, failedAt } = entry;
    if (refused && isRecent(refused.at, refusedMillis)) return { kind: 'refused', message: refused.message };
    const isLiving = clock.now() < entry.expires;
    const pod = accepted && pods.get(accepted.identity.pod.uid);
    if (accepted && isLiving && isRecent(accepted.at, pod ? goodMillis : unseenMillis))
      return proofOf(accepted.identity, pod);
    if (!isRecent(failedAt, failedMillis)) return undefined;
    if (accepted && isLiving && pod && isRecent(accepted.at, lastingMillis))
      return proofOf(accepted.identity, pod);
    return unreviewed;
  }

  function proofOf({ pod: { name, uid }, node }: AcceptedIdentity, pod: Pod | undefined): TokenProof {
    if (!pod) {
      if (node) return { kind: 'proven', nodeName: node.name, podUid: uid, isSeen: false };
      return {
        kind: 'unready',
        message: `the agent's pod ${name} is not known to this server yet: try again`,
      };
    }
    if (isFinished(pod) || pod.nodeName === '')
      return { kind: 'refused', message: `its pod ${name} does not run` };
    if (node && node.name !== pod.nodeName) {
      const message = `it was made for node ${node.name}, and its pod ${name} is on node ${pod.nodeName}`;
      return { kind: 'refused', message };
    }
    return { kind: 'proven', nodeName: pod.nodeName, podUid: uid, isSeen: true };
  }

  async function review(token: string, entry: Entry): Promise<void> {
    const outcome = await queue
      .run(() => reviewer.review(token, signal))
      .catch((thrown: unknown): TokenReviewOutcome => ({ kind: 'unreachable', message: messageOf(thrown) }));
    const at = clock.monotonic();
    delete entry.reviewing;
    delete entry.failedAt;
    if (outcome?.kind === 'authenticated') {
      const { identity } = outcome;
      const problem = problemOf(identity, accounts);
      if (problem === undefined && isPodBound(identity)) {
        entry.accepted = { identity, at };
        delete entry.refused;
        return;
      }
      entry.refused = { message: problem ?? '', at };
    } else if (outcome?.kind === 'refused') {
      entry.refused = { message: outcome.message, at };
    } else {
      entry.failedAt = at;
      warn(outcome?.message ?? 'too many tokens wait to be reviewed');
      return;
    }
    delete entry.accepted;
  }

  function warn(problem: string): void {
    const occasion = mayWarn();
    if (!occasion || signal.aborted) return;
    logger.warn(
      { times: occasion.since },
      `tokens of agents cannot be reviewed, so agents are known by their addresses meanwhile: ${problem}`,
    );
  }

  async function ask(token: string, entry: Entry): Promise<TokenProof> {
    if (!known(entry)) entry.reviewing ??= review(token, entry);
    const { reviewing } = entry;
    try {
      const outcome = await bounded(clock, patienceMillis, signal, async (left) => {
        await reviewing;
        for (;;) {
          const proof = known(entry) ?? unreviewed;
          if (proof.kind !== 'unready') return proof;
          // An agent's pod may be younger than what the watch has told.
          await sleep(clock, podPollMillis, left);
        }
      });
      return outcome.kind === 'done' ? outcome.value : (known(entry) ?? unreviewed);
    } catch {
      return unreviewed;
    }
  }

  return {
    check(token) {
      const key = hash('sha256', token, 'base64url');
      const entry = entries.get(key) ?? { expires: tokenExpiry(token) ?? Number.POSITIVE_INFINITY };
      const proof = known(entry);
      if (proof && proof.kind !== 'unready') return proof;
      entries.set(key, entry);
      return ask(token, entry);
    },
    holds({ nodeName, podUid, isSeen }) {
      const pod = pods.get(podUid);
      return pod ? !isFinished(pod) && pod.nodeName === nodeName : !isSeen;
    },
  };
}

type AcceptedIdentity = TokenIdentity & { readonly pod: NonNullable<TokenIdentity['pod']> };

function isPodBound(identity: TokenIdentity): identity is AcceptedIdentity {
  return identity.pod !== undefined;
}

const accountPrefix = 'system:serviceaccount:';

/** Why a token that the API server knows is no agent's. */
function problemOf({ username, pod }: TokenIdentity, accounts: ReadonlySet<string>): string | undefined {
  if (!username.startsWith(accountPrefix)) return `it belongs to ${username}, which is no service account`;
  if (!pod) return 'it is bound to no pod: use the token of a projected volume';
  const account = username.slice(accountPrefix.length).replace(':', '/');
  if (accounts.size === 0 || accounts.has(account)) return undefined;
  return `it belongs to the service account ${account}, which --agent-service-account does not name`;
}
