import { Metadata } from '@grpc/grpc-js';
import type { ClusterConnection } from '../../../src/cluster/connection.ts';
import { createTokenReviewer } from '../../../src/cluster/token-review.ts';
import { readBearer } from '../../../src/wire/bearer-token.ts';
import { makeToken } from '../../../src/wire/testing/make-token.ts';
import { tokenExpiry } from '../../../src/wire/token-expiry.ts';
import { fieldsOf, joined } from '../engine/text.ts';
import { type FuzzTarget, holds } from '../fuzz-target.ts';

const token = makeToken({ exp: 1_767_225_600, aud: ['podpass'] });
const review = (status: unknown) => JSON.stringify({ kind: 'TokenReview', status });
const user = {
  username: 'system:serviceaccount:kube-system:podpass-agent',
  uid: 'u',
  extra: {
    'authentication.kubernetes.io/pod-name': ['agent-1'],
    'authentication.kubernetes.io/pod-uid': ['uid-1'],
    'authentication.kubernetes.io/node-name': ['node-1'],
  },
};

/** What an agent sends as its token, and what the API server may say of it. */
export const target: FuzzTarget = {
  name: 'bearer-token',
  about: 'authorization of calls, claims of tokens, answers to token reviews: only a plain yes counts',
  maxBytes: 2_048,
  seeds: [
    joined(`Bearer ${token}`, review({ authenticated: true, user, audiences: ['podpass'] })),
    joined(`bearer ${token}`, review({ authenticated: true, user })),
    joined(`Bearer ${token}`, review({ authenticated: false, error: `token ${token} has expired` })),
    joined('Basic dXNlcjpwYXNz', review({ authenticated: 'true', user })),
  ],
  dictionary: ['"authenticated":true', '"audiences":["podpass"]', 'Bearer ', '"exp":1e308', '"__proto__":'],
  open: () => ({
    async run(input) {
      const [authorization = '', body = ''] = fieldsOf(input, 2);
      const found = readHeader(authorization);
      const written = /^bearer (.+)$/is.exec(authorization)?.[1];
      if (found !== undefined) holds(found === written, `${JSON.stringify(found)} is taken for the token`);
      const subject = written ?? authorization;
      const expiry = tokenExpiry(subject);
      holds(expiry === undefined || Number.isFinite(expiry), `a token ends at ${expiry}`);
      await checkReview(subject, body);
    },
  }),
};

function readHeader(value: string): string | undefined {
  const metadata = new Metadata();
  try {
    metadata.set('authorization', value);
  } catch {
    // No header can have it, so none comes over the wire.
    return undefined;
  }
  const bearer = readBearer(metadata);
  holds(bearer.kind !== 'none', 'a header was overlooked');
  return bearer.kind === 'token' ? bearer.token : undefined;
}

async function checkReview(subject: string, body: string): Promise<void> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    parsed = body;
  }
  const connection = {
    requestJson: async () => ({ kind: 'ok', body: parsed }),
  } as unknown as ClusterConnection;
  const reviewer = createTokenReviewer({ connection, audiences: ['podpass'] });
  const outcome = await reviewer.review(subject, new AbortController().signal);
  if (outcome.kind !== 'authenticated') {
    holds(subject.length < 20 || !outcome.message.includes(subject), 'the token is in the message');
    holds(
      !/[\r\n]/.test(outcome.message) && outcome.message.length < 1_000,
      'the message is not one short line',
    );
    return;
  }
  // Independently: own members only, and of the exact types.
  const status = own(parsed, 'status');
  holds(own(status, 'authenticated') === true, 'authenticated without a plain yes');
  const audiences = own(status, 'audiences');
  holds(Array.isArray(audiences) && audiences.includes('podpass'), 'authenticated for another audience');
  holds(own(own(status, 'user'), 'username') === outcome.identity.username, 'the name is not the one given');
  const { pod, node } = outcome.identity;
  const extra = own(own(status, 'user'), 'extra');
  for (const [key, value] of [
    ['authentication.kubernetes.io/pod-name', pod?.name],
    ['authentication.kubernetes.io/pod-uid', pod?.uid],
    ['authentication.kubernetes.io/node-name', node?.name],
  ] as const) {
    if (value !== undefined)
      holds(JSON.stringify(own(extra, key)) === JSON.stringify([value]), `${key} was made up`);
  }
}

function own(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.getOwnPropertyDescriptor(value, key)?.value
    : undefined;
}
