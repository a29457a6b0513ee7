// What the tests of the STS share: some roles, and a client that signs by itself, apart from the library that verifies.
import { createHash, createHmac } from 'node:crypto';
import { createFakeClock } from '../../base/fake-clock.ts';
import { createSeededRandom } from '../../base/random.ts';
import type { Credentials } from '../../credentials/session.ts';
import { parseRoleArn } from './arn.ts';
import { createSts, type Sts, type StsOptions } from './create-sts.ts';
import type { SandboxRole } from './sandbox-role.ts';
import type { StsHttpRequest } from './sts-http.ts';
import { parseTrustPolicy } from './trust-policy.ts';

export const account = '123456789012';
export const otherAccount = '210987654321';
export const serverArn = `arn:aws:iam::${account}:role/podpass-server`;

/** An Allow statement for one principal. */
export function trust(principal: unknown, extra: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: principal, Action: 'sts:AssumeRole', ...extra }],
  };
}

export function role(arn: string, trustPolicy: unknown, extra: Partial<SandboxRole> = {}): SandboxRole {
  const parsed = parseRoleArn(arn);
  if (!parsed) throw new TypeError(`not a role ARN: ${arn}`);
  return {
    arn: parsed,
    maxSessionDuration: 3_600,
    mayAssume: [],
    trustPolicy: parseTrustPolicy(trustPolicy),
    ...extra,
  };
}

/** An STS on a fake clock with a server role and one reader that trusts it, and whatever else is given. */
export function startSts(extra: readonly SandboxRole[] = [], options: Partial<StsOptions> = {}) {
  const clock = createFakeClock();
  const server = role(serverArn, trust({ Service: 'ec2.amazonaws.com' }), { maxSessionDuration: 43_200 });
  const reader = role(`arn:aws:iam::${account}:role/reader`, trust({ AWS: serverArn }));
  const sts = createSts({
    clock,
    random: createSeededRandom(1),
    roles: [server, reader, ...extra],
    ...options,
  });
  const credentials = sts.issueFor(serverArn, { sessionName: 'i-0123456789abcdef0' });
  return { clock, sts, credentials, readerArn: reader.arn.arn };
}

export interface SigningOptions {
  readonly credentials: Pick<Credentials, 'accessKeyId' | 'secretAccessKey' | 'sessionToken'>;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly method?: 'GET' | 'POST';
  readonly service?: string;
}

/** A call of the Query protocol, signed by Signature Version 4 as its specification has it. */
export function signedCall(
  parameters: Readonly<Record<string, string>>,
  { credentials, at, method = 'POST', service = 'sts' }: SigningOptions,
): StsHttpRequest {
  const encoded = Object.entries({ Version: '2011-06-15', ...parameters })
    .map(([name, value]) => [escapeUri(name), escapeUri(value)] as const)
    // By name: as pairs `a%20=` would come before `a=`.
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map((pair) => pair.join('='))
    .join('&');
  const body = Buffer.from(method === 'POST' ? encoded : '');
  const query = method === 'GET' ? encoded : '';
  const date = new Date(at).toISOString().replace(/[-:]|\.\d{3}/g, '');
  const headers: Record<string, string> = {
    host: '127.0.0.1:1234',
    'x-amz-date': date,
    'x-amz-security-token': credentials.sessionToken,
  };
  const names = Object.keys(headers).sort();
  const canonical = [
    method,
    '/',
    query,
    ...names.map((name) => `${name}:${headers[name]}`),
    '',
    names.join(';'),
    createHash('sha256').update(body).digest('hex'),
  ].join('\n');
  const scope = `${date.slice(0, 8)}/eu-west-1/${service}/aws4_request`;
  const digest = createHash('sha256').update(canonical).digest('hex');
  const toSign = ['AWS4-HMAC-SHA256', date, scope, digest].join('\n');
  let key: Buffer = Buffer.from(`AWS4${credentials.secretAccessKey}`);
  for (const part of scope.split('/')) key = createHmac('sha256', key).update(part).digest();
  const signature = createHmac('sha256', key).update(toSign).digest('hex');
  const authorization =
    `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, ` +
    `SignedHeaders=${names.join(';')}, Signature=${signature}`;
  return { method, target: query ? `/?${query}` : '/', headers: { ...headers, authorization }, body };
}

/** What a call came to: the status, and the text of every element by its name. */
export interface Called {
  readonly status: number;
  readonly body: string;
  readonly elements: Readonly<Record<string, string>>;
}

/** Calls the STS without a network. */
export async function call(sts: Sts, request: StsHttpRequest): Promise<Called> {
  const reply = await sts.handle(request, new AbortController().signal);
  if (reply.kind === 'reset') return { status: 0, body: '', elements: {} };
  return { status: reply.status, body: reply.body, elements: readElements(reply.body) };
}

/** The text of every leaf of an XML document by its name. */
export function readElements(xml: string): Readonly<Record<string, string>> {
  const entities: Record<string, string> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };
  const found: Record<string, string> = {};
  for (const [, name = '', text = ''] of xml.matchAll(/<(\w+)>([^<]*)<\/\1>/g)) {
    found[name] = text.replace(/&(\w+);/g, (_, entity: string) => entities[entity] ?? '');
  }
  return found;
}

/** The credentials in an answer of AssumeRole. */
export function credentialsOf({ elements }: Called) {
  const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = elements;
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
}

function escapeUri(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
