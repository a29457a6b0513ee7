import { createHash, timingSafeEqual } from 'node:crypto';
import { done, type Outcome, unauthorized } from './status.ts';
import type { Review, Tokens } from './tokens.ts';
import { administrator, type User } from './users.ts';

/** Says who a bearer token stands for: the administrator, or a service account. */
export interface Authentication {
  /** By the `Authorization` header of a request. Refused (401) when that is missing or worth nothing. */
  authenticate(authorization: string): Promise<Outcome<User>>;
  /** For a TokenReview: the same question about somebody else's token. */
  review(token: string, audiences: readonly string[]): Promise<Review>;
}

export function createAuthentication(adminToken: string, tokens: Tokens): Authentication {
  const adminDigest = digest(adminToken);

  async function review(token: string, audiences: readonly string[]): Promise<Review> {
    if (!timingSafeEqual(digest(token), adminDigest)) return tokens.review(token, audiences);
    const wanted = audiences.length > 0 ? audiences : tokens.audiences;
    const matching = tokens.audiences.filter((audience) => wanted.includes(audience));
    if (matching.length > 0) return { kind: 'authenticated', user: administrator, audiences: matching };
    return { kind: 'rejected', reason: '[invalid bearer token]' };
  }

  return {
    review,
    async authenticate(authorization) {
      const [, token] = /^bearer +(\S+)$/i.exec(authorization) ?? [];
      if (!token) return unauthorized();
      const answer = await review(token, []);
      return answer.kind === 'authenticated' ? done(answer.user) : unauthorized();
    },
  };
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
