import { request } from 'node:http';

/** An answer of the metadata door. */
export interface DoorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  /** How long it took, in milliseconds. */
  readonly millis: number;
}

export interface AskOptions {
  readonly method?: 'GET' | 'PUT';
  readonly headers?: Readonly<Record<string, string>>;
}

/** The credentials in an answer, as SDKs read them. */
export interface ServedCredentials {
  readonly AccessKeyId: string;
  readonly SecretAccessKey: string;
  readonly Token: string;
  readonly Expiration: string;
}

/** What a pod came to that walked the whole protocol. */
export interface PodAnswer {
  /** Of the last answer: the list of roles if that was not 200, else the credentials. */
  readonly status: number;
  readonly body: string;
  readonly headers: DoorAnswer['headers'];
  /** The name in the list. */
  readonly role?: string;
  readonly credentials?: ServedCredentials;
  readonly millis: number;
}

/** Asks one agent as any pod: on Linux every address of 127.0.0.0/8 is this machine's, so one machine is many pods. */
export interface PodCaller {
  /** One request on a connection of its own. Rejects when there is no answer. */
  request(from: string, path: string, options?: AskOptions): Promise<DoorAnswer>;
  /** List, then credentials. With a session token if one is given. */
  ask(from: string, token?: string): Promise<PodAnswer>;
  /** A session token of IMDSv2. @throws Error when it is refused. */
  token(from: string): Promise<string>;
}

const bound = 15_000;
const tree = '/latest/meta-data/iam/security-credentials/';

export function callerAt(port: number): PodCaller {
  function send(from: string, path: string, { method = 'GET', headers = {} }: AskOptions = {}) {
    const began = performance.now();
    const { promise, resolve, reject } = Promise.withResolvers<DoorAnswer>();
    const sent = request({
      host: '127.0.0.1',
      port,
      localAddress: from,
      path,
      method,
      headers: { host: '169.254.169.254', ...headers },
      agent: false,
      signal: AbortSignal.timeout(bound),
    });
    sent.once('error', reject);
    sent.once('response', (response) => {
      response.setEncoding('utf8');
      response.toArray().then((chunks) => {
        const { statusCode: status = 0, headers: received } = response;
        resolve({ status, headers: received, body: chunks.join(''), millis: performance.now() - began });
      }, reject);
    });
    sent.end();
    return promise;
  }

  return {
    request: send,
    async ask(from, token) {
      const options = token === undefined ? {} : { headers: { 'x-aws-ec2-metadata-token': token } };
      const list = await send(from, tree, options);
      if (list.status !== 200) return list;
      const answer = await send(from, tree + list.body, options);
      const millis = list.millis + answer.millis;
      if (answer.status !== 200) return { ...answer, role: list.body, millis };
      return { ...answer, role: list.body, credentials: JSON.parse(answer.body), millis };
    },
    async token(from) {
      const headers = { 'x-aws-ec2-metadata-token-ttl-seconds': '21600' };
      const { status, body } = await send(from, '/latest/api/token', { method: 'PUT', headers });
      if (status === 200) return body;
      throw new Error(`a token was refused with ${status}: ${body}`);
    },
  };
}
