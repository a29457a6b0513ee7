import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatAmzDate, parseSignature, signatureMatches } from './signature.ts';
import { signedCall } from './sts.fixture.ts';
import type { StsHttpRequest } from './sts-http.ts';

const secret = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';

/** `get-vanilla` and `post-vanilla` of the Signature Version 4 test suite that AWS publishes. */
const vectors = [
  { method: 'GET', signature: '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31' },
  { method: 'POST', signature: '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b' },
] as const;

function vanilla({
  method,
  signature,
}: {
  readonly method: string;
  readonly signature: string;
}): StsHttpRequest {
  return {
    method,
    target: '/',
    headers: {
      host: 'example.amazonaws.com',
      'x-amz-date': '20150830T123600Z',
      authorization:
        'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, ' +
        `SignedHeaders=host;x-amz-date, Signature=${signature}`,
    },
    body: Buffer.alloc(0),
  };
}

function requireSigned(request: StsHttpRequest) {
  const parsed = parseSignature(request);
  assert.equal(parsed.kind, 'signed');
  return parsed.signed;
}

describe('signatureMatches', () => {
  for (const vector of vectors) {
    it(`agrees with AWS's own test vector for ${vector.method}`, async () => {
      const request = vanilla(vector);
      assert.equal(await signatureMatches(request, {}, requireSigned(request), secret), true);
      assert.equal(await signatureMatches(request, {}, requireSigned(request), `${secret}x`), false);
    });
  }

  const credentials = { accessKeyId: 'ASIAEXAMPLE', secretAccessKey: secret, sessionToken: 'token' };
  const at = Date.parse('2026-01-01T00:00:00Z');

  it('agrees with another implementation about any parameters, in body and query', async () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
    const name = text.filter((drawn) => drawn !== '__proto__');
    await fc.assert(
      fc.asyncProperty(fc.dictionary(name, text, { maxKeys: 4 }), async (parameters) => {
        const post = signedCall(parameters, { credentials, at });
        assert.equal(await signatureMatches(post, {}, requireSigned(post), secret), true);
        const get = signedCall(parameters, { credentials, at, method: 'GET' });
        const query = { Version: '2011-06-15', ...parameters };
        assert.equal(await signatureMatches(get, query, requireSigned(get), secret), true);
      }),
      { numRuns: 50, examples: [[{ 'a ': '1', a: '2' }]] },
    );
  });

  it('notices any change of the body', async () => {
    const request = signedCall({ Action: 'AssumeRole', RoleArn: 'arn' }, { credentials, at });
    await fc.assert(
      fc.asyncProperty(
        fc.nat(request.body.length - 1),
        fc.integer({ min: 1, max: 255 }),
        async (position, change) => {
          const body = Uint8Array.from(request.body, (byte, index) =>
            index === position ? byte ^ change : byte,
          );
          assert.equal(
            await signatureMatches({ ...request, body }, {}, requireSigned(request), secret),
            false,
          );
        },
      ),
      { numRuns: 50 },
    );
  });

  it('notices a query that was not signed', async () => {
    const request = signedCall({ Action: 'GetCallerIdentity' }, { credentials, at });
    const query = { Action: 'AssumeRole' };
    assert.equal(await signatureMatches(request, query, requireSigned(request), secret), false);
  });

  it('refuses the one query parameter that the signer cannot cover', async () => {
    const request = signedCall({ Action: 'GetCallerIdentity' }, { credentials, at, method: 'GET' });
    const query = { Version: '2011-06-15', Action: 'GetCallerIdentity' };
    assert.equal(await signatureMatches(request, query, requireSigned(request), secret), true);
    const smuggled = { ...query, ['__proto__']: 'x' };
    assert.equal(await signatureMatches(request, smuggled, requireSigned(request), secret), false);
  });

  it('takes a stated body hash only when it is the body’s', async () => {
    const request = signedCall({ Action: 'GetCallerIdentity' }, { credentials, at });
    const hash = createHash('sha256').update(request.body).digest('hex');
    for (const [stated, expected] of [
      [hash, true],
      [hash.replace(/./, (c) => (c === '0' ? '1' : '0')), false],
      ['UNSIGNED-PAYLOAD', false],
    ] as const) {
      const headers = { ...request.headers, 'x-amz-content-sha256': stated };
      const got = await signatureMatches({ ...request, headers }, {}, requireSigned(request), secret);
      assert.equal(got, expected, stated);
    }
  });

  it('does not let a header count as signed that is not there', async () => {
    const request = vanilla(vectors[0]);
    const signed = { ...requireSigned(request), signedHeaders: ['host', 'x-amz-date', 'x-more'] };
    assert.equal(await signatureMatches(request, {}, signed, secret), false);
  });
});

describe('parseSignature', () => {
  it('reads what a signer wrote, with or without spaces behind the commas', () => {
    const request = vanilla(vectors[0]);
    const tight = request.headers.authorization?.replaceAll(', ', ',') ?? '';
    for (const headers of [request.headers, { ...request.headers, authorization: tight }]) {
      assert.deepEqual(requireSigned({ ...request, headers }), {
        accessKeyId: 'AKIDEXAMPLE',
        region: 'us-east-1',
        service: 'service',
        signedHeaders: ['host', 'x-amz-date'],
        signature: vectors[0].signature,
        date: Date.parse('2015-08-30T12:36:00Z'),
      });
    }
  });

  it('says when there is none', () => {
    const request = { ...vanilla(vectors[0]), headers: { host: 'a' } };
    assert.deepEqual(parseSignature(request), { kind: 'missing' });
  });

  const broken: readonly (readonly [what: string, from: string | RegExp, to: string])[] = [
    ['another algorithm', 'AWS4-HMAC-SHA256', 'AWS4-HMAC-SHA1'],
    ['a scope with a part missing', '/us-east-1', ''],
    ['a signature that is too short', /.$/, ''],
    ['a signature in capitals', /Signature=.*/, `Signature=${'A'.repeat(64)}`],
    ['a host that is not signed', 'host;', ''],
    ['no list of headers', 'SignedHeaders=host;x-amz-date, ', ''],
    ['something behind the signature', /$/, ' '],
  ];
  for (const [what, from, to] of broken) {
    it(`cannot read ${what}`, () => {
      const request = vanilla(vectors[0]);
      const authorization = request.headers.authorization?.replace(from, to) ?? '';
      const headers = { ...request.headers, authorization };
      assert.deepEqual(parseSignature({ ...request, headers }), { kind: 'malformed' });
    });
  }

  it('never throws', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (authorization, date) => {
        const headers = { authorization, 'x-amz-date': date };
        assert.notEqual(parseSignature({ ...vanilla(vectors[0]), headers }).kind, 'signed');
      }),
    );
  });
});

describe('formatAmzDate', () => {
  it('writes the basic form of ISO 8601, without fractions', () => {
    assert.equal(formatAmzDate(Date.parse('2026-11-02T03:04:05.678Z')), '20261102T030405Z');
  });
});
