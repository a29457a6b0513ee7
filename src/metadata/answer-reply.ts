import type { Answer } from '../broker/broker.ts';
import { renderAnswer } from '../broker/render-answer.ts';
import { isRequestedRole } from '../broker/requested-role.ts';
import type { Credentials } from '../credentials/session.ts';
import type { BoundRole } from '../roles/decision.ts';
import { createErrorReply, createReply, createTextReply, json, plainText, type Reply } from './reply.ts';

/** Renders the broker's answers for the metadata door. */
export interface AnswerReplies {
  /** To a request for the list of roles. */
  list(answer: Answer): Reply;
  /** To a request for the credentials of a role. */
  credentials(answer: Answer, requested: string): Reply;
}

const retryAfter = { extra: ['Retry-After', '1'] };

/**
 * The replies of one process. A reply is rendered once for each role and each set of credentials; the broker hands
 * out the same objects as long as they hold, so the cache empties itself as they are replaced.
 *
 * What is answered when: docs/metadata-protocol.md. 404 lets SDKs go on to their next provider, 403 is
 * final, 503 is tried again.
 */
export function createAnswerReplies(): AnswerReplies {
  const lists = new WeakMap<BoundRole, Reply>();
  const bodies = new WeakMap<Credentials, Reply>();

  function listOf(role: BoundRole): Reply {
    let reply = lists.get(role);
    if (reply === undefined) {
      // Without a newline: some SDKs take the whole body for the name.
      reply = createReply(200, plainText, role.name);
      lists.set(role, reply);
    }
    return reply;
  }

  function credentialsOf(credentials: Credentials, role: BoundRole): Reply {
    let reply = bodies.get(credentials);
    if (reply === undefined) {
      reply = createReply(200, json, renderCredentials(credentials, role));
      bodies.set(credentials, reply);
    }
    return reply;
  }

  return {
    list(answer) {
      switch (answer.kind) {
        case 'credentials':
        case 'pending':
        case 'refused':
        case 'unavailable':
          return listOf(answer.role);
        default:
          return denial(answer);
      }
    },
    credentials(answer, requested) {
      const role = roleOf(answer);
      if (role !== undefined && !isRequestedRole(requested, role)) return notTheRole;
      return answer.kind === 'credentials' ? credentialsOf(answer.credentials, answer.role) : denial(answer);
    },
  };
}

/** The role that the answer says the pod is bound to, whether it may have it or not. */
export function roleOf(answer: Answer): BoundRole | undefined {
  switch (answer.kind) {
    case 'credentials':
    case 'pending':
    case 'refused':
    case 'unavailable':
      return answer.role;
    case 'forbidden':
      return answer.decision.kind === 'forbidden' ? answer.decision.role : undefined;
    default:
      return undefined;
  }
}

const notTheRole = createTextReply(
  404,
  'the pod that asks is not bound to this role. The list names its role.',
);

function denial(answer: Exclude<Answer, { kind: 'credentials' }>): Reply {
  const explanation = renderAnswer(answer);
  switch (answer.kind) {
    case 'no-role':
      return createTextReply(404, explanation.message);
    case 'forbidden':
    case 'refused':
      return createErrorReply(403, explanation);
    default:
      return createErrorReply(503, explanation, retryAfter);
  }
}

/**
 * One line, as kiam has it, in the order of EC2. Times have no fractions: botocore cannot parse them.
 * `AccountId` is what newer SDKs sign some requests with.
 */
function renderCredentials(credentials: Credentials, role: BoundRole): string {
  const accountId = /^arn:[^:]*:iam::(\d{12}):/.exec(role.arn)?.[1];
  const body = {
    Code: 'Success',
    LastUpdated: toSeconds(credentials.issuedAt),
    Type: 'AWS-HMAC',
    AccessKeyId: credentials.accessKeyId,
    SecretAccessKey: credentials.secretAccessKey,
    Token: credentials.sessionToken,
    Expiration: toSeconds(credentials.expiration),
    ...(accountId === undefined ? {} : { AccountId: accountId }),
  };
  return `${JSON.stringify(body)}\n`;
}

/** `2026-01-01T00:00:00Z`, rounded down: credentials never seem to live longer than they do. */
function toSeconds(millis: number): string {
  return `${new Date(millis).toISOString().slice(0, 19)}Z`;
}
