import { PodpassError } from '../../../src/base/errors.ts';
import { createFakeClock } from '../../../src/base/fake-clock.ts';
import { parseRoleArn } from '../../../src/sandbox/sts/arn.ts';
import { parseQueryRequest } from '../../../src/sandbox/sts/query-request.ts';
import { parseRolesFile } from '../../../src/sandbox/sts/roles-file.ts';
import { parseSignature, signatureMatches } from '../../../src/sandbox/sts/signature.ts';
import type { StsHttpRequest } from '../../../src/sandbox/sts/sts-http.ts';
import { verifyWebIdentityToken } from '../../../src/sandbox/sts/web-identity-token.ts';
import { makeToken } from '../../../src/wire/testing/make-token.ts';
import { fieldsOf, joined } from '../engine/text.ts';
import { type FuzzTarget, holds } from '../fuzz-target.ts';

const signature = `AWS4-HMAC-SHA256 Credential=AKIA/20260101/eu-west-1/sts/aws4_request, SignedHeaders=host;x-amz-date, Signature=${'0'.repeat(64)}`;
const call =
  'Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Freader&RoleSessionName=x';
const roles =
  'roles:\n- arn: arn:aws:iam::123456789012:role/reader\n  trust: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {AWS: "*"}, Action: "sts:AssumeRole", Condition: {StringEquals: {"sts:ExternalId": "x"}}}]}\n';
const clock = createFakeClock();
const issuer = 'https://issuer.example';
const providers = new Map([[issuer, { getJwks: async () => ({ keys: [] }) }]]);

export const target: FuzzTarget = {
  name: 'sandbox-sts',
  about: "the sandbox's STS: queries, signatures, tokens, files of roles; nobody is let in by a forgery",
  maxBytes: 1_500,
  seeds: [
    joined('/', signature, call),
    joined(`/?${call}`, signature.replace('host;', ''), ''),
    joined('/', '', roles),
    joined(
      '/',
      `Bearer ${makeToken({ iss: issuer, aud: 'sts.amazonaws.com', exp: 4e9, iat: 1, sub: 's' })}`,
      call,
    ),
  ],
  dictionary: [
    'Action=',
    '&Version=',
    '%00',
    'Statement:',
    'Principal:',
    'StringLike:',
    'AWS4-HMAC-SHA256 ',
    'alg',
    'none',
  ],
  open: () => ({
    async run(input) {
      const [path = '', authorization = '', body = ''] = fieldsOf(input, 3);
      const headers = { host: 'sts', authorization, 'x-amz-date': '20260101T000000Z' };
      const request: StsHttpRequest = { method: 'POST', target: path, headers, body: Buffer.from(body) };
      const parsed = parseQueryRequest(request);
      if (parsed.kind === 'call') holds(parsed.call.action !== '', 'a call of nothing');
      const signed = parseSignature(request);
      if (signed.kind === 'signed') {
        const query = parsed.kind === 'call' ? parsed.call.query : {};
        holds(
          !(await signatureMatches(request, query, signed.signed, 'secret')),
          'a forged signature counts',
        );
      }
      const token = authorization.replace(/^Bearer /, '');
      const verified = await verifyWebIdentityToken(token, providers, clock, new AbortController().signal);
      holds(verified.kind !== 'verified', 'a forged token counts');
      const arn = parseRoleArn(body);
      if (arn) holds(/^arn:aws/.test(body), `${body} is taken for an ARN`);
      try {
        parseRolesFile(body, 'roles.yaml');
      } catch (thrown) {
        if (!(thrown instanceof PodpassError)) throw thrown;
      }
    },
  }),
};
