import type { Authentication } from './authentication.ts';
import type { Authorize } from './authorization.ts';
import { at, isObject, type Json, type JsonObject, listAt, textAt } from './json.ts';
import { timestamp } from './objects.ts';
import { groupVersion, type Resource } from './resources.ts';
import { badRequest, done, type Outcome } from './status.ts';
import { parseTokenRequest } from './token-request.ts';
import type { Tokens } from './tokens.ts';
import type { User } from './users.ts';

export interface ReviewsOptions {
  readonly authentication: Authentication;
  readonly authorize: Authorize;
  readonly tokens: Tokens;
}

/** Answers the resources that are questions: nothing of them is kept. */
export interface Reviews {
  answer(resource: Resource, body: Json, user: User): Promise<Outcome<JsonObject>>;
  /** POST `serviceaccounts/NAME/token`. */
  requestToken(namespace: string, name: string, body: Json): Promise<Outcome<JsonObject>>;
}

export function createReviews({ authentication, authorize, tokens }: ReviewsOptions): Reviews {
  async function reviewToken(spec: JsonObject): Promise<Outcome<JsonObject>> {
    const token = textAt(spec, 'token');
    if (!token)
      return badRequest('TokenReview.authentication.k8s.io "" is invalid: spec.token: Required value');
    const asked = listAt(spec, 'audiences').map(String);
    const result = await authentication.review(token, asked);
    // The token is not repeated, unlike by a real API server: answers end up in logs.
    const spoken = { spec: { ...(asked.length > 0 && { audiences: asked }) } };
    if (result.kind === 'rejected')
      return done({ ...spoken, status: { authenticated: false, error: result.reason } });
    const { user, audiences } = result;
    return done({ ...spoken, status: { authenticated: true, user: userInfo(user), audiences } });
  }

  function reviewAccess(spec: JsonObject, user: User): JsonObject {
    const { resourceAttributes: wanted } = spec;
    const [group, subresource] = [textAt(wanted, 'group'), textAt(wanted, 'subresource')];
    const resource = `${textAt(wanted, 'resource')}${group && `.${group}`}${subresource && `/${subresource}`}`;
    const allowed =
      wanted === undefined || authorize(user, textAt(wanted, 'verb'), resource, textAt(wanted, 'namespace'));
    return { spec, status: { allowed } };
  }

  return {
    async answer(resource, body, user) {
      if (!isObject(body)) return badRequest(`the body is not a ${resource.kind}`);
      const spec = isObject(body.spec) ? body.spec : {};
      const envelope = {
        kind: resource.kind,
        apiVersion: groupVersion(resource),
        metadata: { creationTimestamp: null },
      };
      switch (resource.kind) {
        case 'TokenReview': {
          const review = await reviewToken(spec);
          return review.kind === 'refused' ? review : done({ ...envelope, ...review.value });
        }
        case 'SelfSubjectAccessReview':
          return done({ ...envelope, ...reviewAccess(spec, user) });
        default:
          return done({ ...envelope, status: { userInfo: userInfo(user) } });
      }
    },
    async requestToken(namespace, name, body) {
      const request = parseTokenRequest(body);
      if (request.kind === 'refused') return request;
      const issued = await tokens.issue(namespace, name, request.value);
      if (issued.kind === 'refused') return issued;
      const { token, claims } = issued.value;
      const bound = at(body, 'spec', 'boundObjectRef');
      return done({
        kind: 'TokenRequest',
        apiVersion: 'authentication.k8s.io/v1',
        metadata: { name, namespace, creationTimestamp: timestamp(claims.issuedAt * 1_000) },
        spec: {
          audiences: claims.audiences,
          expirationSeconds: claims.expiresAt - claims.issuedAt,
          boundObjectRef: bound ?? null,
        },
        status: { token, expirationTimestamp: timestamp(claims.expiresAt * 1_000) },
      });
    },
  };
}

function userInfo({ username, uid, groups, extra }: User): JsonObject {
  return { username, uid, groups, extra };
}
