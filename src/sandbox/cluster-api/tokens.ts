import type { webcrypto } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, jwtVerify, SignJWT } from 'jose';
import type { Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import type { Random } from '../../base/random.ts';
import { textAt } from './json.ts';
import { uuid } from './object-meta.ts';
import type { ObjectStore } from './object-store.ts';
import { type Resource, resourceNamed } from './resources.ts';
import { badRequest, conflict, done, notFound, type Outcome } from './status.ts';
import {
  fromPayload,
  type ObjectReference,
  referenceTo,
  type TokenClaims,
  toPayload,
} from './token-claims.ts';
import type { TokenRequest } from './token-request.ts';
import { serviceAccountUsername, type User } from './users.ts';

export interface TokensOptions {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly random: Random;
  /** The `iss` of every token, and the URL under which its documents are published. */
  readonly issuer: string;
  /** The audiences that the API itself takes; a token that is asked for without any gets these. */
  readonly audiences: readonly string[];
  /** An RS256 key pair. Default: a new one of 2048 bits, made when it is first needed. */
  readonly signingKeys?: webcrypto.CryptoKeyPair;
}

export interface IssuedToken {
  readonly token: string;
  readonly claims: TokenClaims;
}

/** What a token turned out to be. The reason is for the log of whoever asked; it never holds the token. */
export type Review =
  | { readonly kind: 'authenticated'; readonly user: User; readonly audiences: readonly string[] }
  | { readonly kind: 'rejected'; readonly reason: string };

/** Makes and checks service-account tokens as a real API server does. */
export interface Tokens {
  readonly issuer: string;
  /** The audiences of the API itself. */
  readonly audiences: readonly string[];
  issue(namespace: string, serviceAccount: string, request: TokenRequest): Promise<Outcome<IssuedToken>>;
  /**
   * Checks signature, time, audience, and that the service account and the pod it is bound to still exist with the
   * same UIDs, or have been terminating for at most 60 s. The node is told and not looked up, as in Kubernetes.
   *
   * @param audiences one of them must be the token's; empty: the API's own
   */
  review(token: string, audiences: readonly string[]): Promise<Review>;
  /** The document behind `/openid/v1/jwks`. */
  jwks(): Promise<{ readonly keys: readonly JWK[] }>;
}

const serviceAccounts = resourceNamed('serviceaccounts');
const pods = resourceNamed('pods');
const nodes = resourceNamed('nodes');

/** A terminating pod still works; its tokens do for as long as this (Kubernetes' own allowance). */
const terminatingMillis = 60_000;
const longestToken = 16_384;

export function createTokens(options: TokensOptions): Tokens {
  const { store, clock, random, issuer, audiences: ownAudiences } = options;
  let loaded: Promise<SigningKey> | undefined;
  const key = () => {
    loaded ??= loadKey(options.signingKeys);
    return loaded;
  };

  function exists(resource: Resource, namespace: string, { name, uid }: ObjectReference): boolean {
    const object = store.get(resource, namespace, name);
    if (!object || object.metadata.uid !== uid) return false;
    const { deletionTimestamp } = object.metadata;
    return !deletionTimestamp || clock.now() - Date.parse(deletionTimestamp) <= terminatingMillis;
  }

  return {
    issuer,
    audiences: ownAudiences,
    async issue(namespace, name, { audiences, expirationSeconds, boundPod }) {
      const account = store.get(serviceAccounts, namespace, name);
      if (!account) return notFound(serviceAccounts, name);
      const bound: { pod?: ObjectReference; node?: ObjectReference } = {};
      if (boundPod) {
        const pod = store.get(pods, namespace, boundPod.name);
        if (!pod) return notFound(pods, boundPod.name);
        if (textAt(pod, 'spec', 'serviceAccountName') !== name) {
          const why = 'to pod running with different serviceaccount name';
          return badRequest(`cannot bind token for serviceaccount "${name}" ${why}.`);
        }
        if (boundPod.uid && boundPod.uid !== pod.metadata.uid) {
          const why = `the UID in the bound object reference (${boundPod.uid}) does not match the UID in record`;
          return conflict(pods, boundPod.name, why);
        }
        bound.pod = referenceTo(pod);
        const node = store.get(nodes, '', textAt(pod, 'spec', 'nodeName'));
        if (node) bound.node = referenceTo(node);
      }
      const issuedAt = Math.floor(clock.now() / 1_000);
      const claims: TokenClaims = {
        namespace,
        serviceAccount: referenceTo(account),
        ...bound,
        audiences: audiences.length > 0 ? audiences : ownAudiences,
        issuedAt,
        expiresAt: issuedAt + expirationSeconds,
        id: uuid(random),
      };
      const { privateKey, kid } = await key();
      const token = await new SignJWT(toPayload(issuer, claims))
        .setProtectedHeader({ alg: 'RS256', kid })
        .sign(privateKey);
      return done({ token, claims });
    },
    async review(token, asked) {
      if (token.length > longestToken) return rejected('the token is too long');
      const { publicKey } = await key();
      let claims: TokenClaims | undefined;
      try {
        const currentDate = new Date(clock.now());
        const { payload } = await jwtVerify(token, publicKey, { issuer, algorithms: ['RS256'], currentDate });
        claims = fromPayload(payload);
      } catch (error) {
        return rejected(messageOf(error));
      }
      if (!claims) return rejected('the token lacks the claims of a service account');
      const { namespace, serviceAccount, pod } = claims;
      const wanted = asked.length > 0 ? asked : ownAudiences;
      const audiences = claims.audiences.filter((audience) => wanted.includes(audience));
      if (audiences.length === 0) {
        const [has, wants] = [JSON.stringify(claims.audiences), JSON.stringify(wanted)];
        return rejected(`token audiences ${has} is invalid for the target audiences ${wants}`);
      }
      if (!exists(serviceAccounts, namespace, serviceAccount) || (pod && !exists(pods, namespace, pod))) {
        return rejected('service account token has been invalidated');
      }
      return { kind: 'authenticated', user: userOf(claims), audiences };
    },
    async jwks() {
      return { keys: [(await key()).jwk] };
    },
  };
}

function rejected(reason: string): Review {
  return { kind: 'rejected', reason: `[invalid bearer token, ${reason}]` };
}

function userOf({ namespace, serviceAccount, pod, node, id }: TokenClaims): User {
  const entries: Record<string, readonly string[]> = { 'credential-id': [`JTI=${id}`] };
  if (node) Object.assign(entries, { 'node-name': [node.name], 'node-uid': [node.uid] });
  if (pod) Object.assign(entries, { 'pod-name': [pod.name], 'pod-uid': [pod.uid] });
  return {
    username: serviceAccountUsername(namespace, serviceAccount.name),
    uid: serviceAccount.uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
    extra: Object.fromEntries(
      Object.entries(entries).map(([name, value]) => [`authentication.kubernetes.io/${name}`, value]),
    ),
  };
}

interface SigningKey extends webcrypto.CryptoKeyPair {
  readonly kid: string;
  readonly jwk: JWK;
}

async function loadKey(given: webcrypto.CryptoKeyPair | undefined): Promise<SigningKey> {
  const { publicKey, privateKey } = given ?? (await generateKeyPair('RS256', { modulusLength: 2048 }));
  const bare = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(bare);
  return { publicKey, privateKey, kid, jwk: { ...bare, use: 'sig', alg: 'RS256', kid } };
}
