import { cleanText } from './clean-text.ts';
import { type ClusterConnection, describeFailure } from './connection.ts';
import { member, textMember } from './json-object.ts';

/** Who a token belongs to, as the API server says. */
export interface TokenIdentity {
  /** `system:serviceaccount:<namespace>:<name>`. */
  readonly username: string;
  readonly uid: string;
  /** The pod that a bound token was made for. */
  readonly pod?: { readonly name: string; readonly uid: string };
  /** The node of that pod (Kubernetes 1.30 on). `uid` is empty where the API server does not say it. */
  readonly node?: { readonly name: string; readonly uid: string };
}

export type TokenReviewOutcome =
  | { readonly kind: 'authenticated'; readonly identity: TokenIdentity }
  /** The token is not good, or not meant for podpass. */
  | { readonly kind: 'refused'; readonly message: string }
  /** The API server could not be asked, or podpass has no right to ask: nothing is known about the token. */
  | { readonly kind: 'unreachable'; readonly message: string };

export interface TokenReviewer {
  /** Asks the API server whose token this is. Rejects only with the reason of `signal`. */
  review(token: string, signal: AbortSignal): Promise<TokenReviewOutcome>;
}

export interface TokenReviewerOptions {
  readonly connection: ClusterConnection;
  /** The token must be meant for one of these. Default: whom the API server itself is. */
  readonly audiences?: readonly string[];
  /** Default 5 seconds. */
  readonly timeoutMillis?: number;
}

const maxTokenLength = 16_384;
/** `Authorization: Bearer` takes these (RFC 6750, b64token); a token of anything else is none. */
const tokenText = /^[\w.~+/-]+=*$/;

/**
 * Makes a reviewer of bearer tokens (`authentication.k8s.io/v1 TokenReview`). It needs the right that the cluster role
 * `system:auth-delegator` gives. Tokens are never kept, logged or repeated in a message.
 */
export function createTokenReviewer(options: TokenReviewerOptions): TokenReviewer {
  const { connection, audiences = [], timeoutMillis = 5_000 } = options;
  return {
    async review(token, signal) {
      if (token.length > maxTokenLength || !tokenText.test(token)) {
        return { kind: 'refused', message: 'the token is not a bearer token' };
      }
      const outcome = await connection.requestJson({
        method: 'POST',
        path: '/apis/authentication.k8s.io/v1/tokenreviews',
        body: {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenReview',
          spec: { token, ...(audiences.length > 0 && { audiences }) },
        },
        timeoutMillis,
        signal,
      });
      if (outcome.kind === 'ok') return readReview(outcome.body, token, audiences);
      if (outcome.kind === 'status' && outcome.status === 403) {
        const message = `podpass may not review tokens: ${withoutToken(outcome.message, token)}. Bind its service account to the cluster role system:auth-delegator.`;
        return { kind: 'unreachable', message };
      }
      return { kind: 'unreachable', message: withoutToken(describeFailure(outcome), token) };
    },
  };
}

function readReview(body: unknown, token: string, audiences: readonly string[]): TokenReviewOutcome {
  const status = member(body, 'status');
  if (member(status, 'authenticated') !== true) {
    const error = withoutToken(cleanText(textMember(status, 'error', 65_536), 512), token);
    return { kind: 'refused', message: error || 'the API server does not know the token' };
  }
  // A server that knows nothing of audiences says yes to any token of its own and names none (TokenReview's contract).
  const granted = member(status, 'audiences');
  if (
    audiences.length > 0 &&
    !(Array.isArray(granted) && granted.some((audience) => audiences.includes(audience)))
  ) {
    return { kind: 'refused', message: `the token is not meant for ${audiences.join(' or ')}` };
  }
  const user = member(status, 'user');
  const username = textMember(user, 'username', 1_024);
  if (!username) return { kind: 'refused', message: 'the API server named no user for the token' };
  const extra = member(user, 'extra');
  const podUid = only(extra, 'authentication.kubernetes.io/pod-uid');
  const podName = only(extra, 'authentication.kubernetes.io/pod-name');
  const nodeName = only(extra, 'authentication.kubernetes.io/node-name');
  const nodeUid = only(extra, 'authentication.kubernetes.io/node-uid');
  const identity: TokenIdentity = {
    username,
    uid: textMember(user, 'uid', 128),
    ...(podUid && podName && { pod: { name: podName, uid: podUid } }),
    ...(nodeName && { node: { name: nodeName, uid: nodeUid } }),
  };
  return { kind: 'authenticated', identity };
}

/** An extra is a list of values; what these keys say is said by exactly one. */
function only(extra: unknown, key: string): string {
  const values = member(extra, key);
  const value: unknown = Array.isArray(values) && values.length === 1 ? values[0] : undefined;
  return typeof value === 'string' && value.length <= 253 ? value : '';
}

function withoutToken(message: string, token: string): string {
  return message.replaceAll(token, '[token]');
}
