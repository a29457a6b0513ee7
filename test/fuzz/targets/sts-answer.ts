import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../../../src/base/clock.ts';
import { createAssumeRoleBackend } from '../../../src/credentials/assume-role-backend.ts';
import { kiamDate } from '../../../src/wire/kiam-date.ts';
import { type FuzzTarget, holds } from '../fuzz-target.ts';

const credentials = (fields: string) =>
  `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>${fields}</Credentials></AssumeRoleResult></AssumeRoleResponse>`;
const whole =
  '<AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2026-01-01T00:00:00Z</Expiration>';
const error = (code: string, message: string) =>
  `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>0a1b2c3d-1111</RequestId></ErrorResponse>`;
const kinds = new Set(['issued', 'refused', 'throttled', 'unavailable']);

/** The first line is the HTTP status, the rest the body. */
export const target: FuzzTarget = {
  name: 'sts-answer',
  about:
    'what may come in place of STS answers, through the AWS SDK: whole credentials, or an outcome with a short line',
  maxBytes: 1_500,
  seeds: [
    `200\n${credentials(whole)}`,
    `200\n${credentials(whole.replace('2026-01-01T00:00:00Z', '+010000-01-01T00:00:00Z'))}`,
    '201\n<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/x</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>',
    `404\n${error('AccessDenied', "is not authorized: 'external-id-1234'")}`,
    `400\n${error('Throttling', 'Rate exceeded')}`,
    `400\n${error('ExpiredToken', 'The security token included in the request is expired')}`,
    '503\n<html><body>Service Unavailable</body></html>',
    '400\n{"__type":"ValidationError","message":"x"}',
    `200\n<!DOCTYPE x [<!ENTITY a "b">]>${credentials('&a;')}`,
    '500\n',
  ],
  dictionary: [
    '<Code>',
    '</Code>',
    '<Error>',
    '<Credentials>',
    '<Expiration>',
    '&#0;',
    '&amp;',
    '<![CDATA[',
    ']]>',
    '<?xml version="1.0"?>',
    'Thu, 01 Jan 1970 00:00:00 GMT',
    '1e400',
    'NaN',
  ],
  async open() {
    let answer: { status: number; body: Uint8Array } = { status: 500, body: new Uint8Array() };
    const server = createServer((request, response) => {
      request.resume().on('end', () => {
        response.writeHead(answer.status, { 'content-type': 'text/xml' }).end(answer.body);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const backend = createAssumeRoleBackend({
      clock: systemClock,
      sessionSeconds: 3_600,
      region: 'eu-west-1',
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      credentials: { accessKeyId: 'AKIA', secretAccessKey: 'own-secret-key' },
      requestTimeoutMillis: 2_000,
    });
    const identity = {
      roleArn: 'arn:aws:iam::123456789012:role/reader',
      sessionName: 'kiam-kiam',
      externalId: 'external-id-1234',
    };
    return {
      async run(input) {
        const bytes = Buffer.from(input);
        const end = bytes.indexOf('\n');
        const written = Number.parseInt(bytes.toString('latin1', 0, Math.max(end, 0)), 10);
        const status = written >= 200 && written <= 599 && written !== 204 && written !== 304 ? written : 200;
        answer = { status, body: bytes.subarray(end + 1) };
        // Both calls read answers the same way; one of each costs too much time.
        if (status % 2 === 1) return holdsForCaller();
        const outcome = await backend.assumeRole(identity, new AbortController().signal);
        holds(kinds.has(outcome.kind), `came to ${outcome.kind}`);
        if (outcome.kind === 'issued') {
          const { accessKeyId, secretAccessKey, sessionToken, expiration } = outcome.credentials;
          holds(status < 300, `credentials with status ${status}`);
          for (const text of [accessKeyId, secretAccessKey, sessionToken])
            holds(typeof text === 'string' && text !== '', 'half credentials');
          // The doors and kiam's messages write it with four digits for the year.
          holds(/^\d{4}-/.test(kiamDate(expiration)), `they end at ${expiration}`);
          return;
        }
        const { code, message } = outcome;
        holds(code !== '' && code.length <= 300, `the code has ${code.length} characters`);
        holds(message.length <= 1_300 && !/[\r\n]/.test(message), 'the message is not one short line');
        holds(!message.includes('own-secret-key'), 'our own key is in the message');
      },
      async close() {
        backend.close();
        server.closeAllConnections();
        await new Promise<void>((resolve) => server.close(() => resolve()));
      },
    };

    async function holdsForCaller(): Promise<void> {
      const caller = await backend.describeCaller(new AbortController().signal);
      holds(caller.kind !== 'known' || caller.caller.arn.startsWith('arn:'), 'podpass is nobody');
    }
  },
};
