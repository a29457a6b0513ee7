import { request as httpRequest } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface Ask {
  readonly port: number;
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The pod that asks: an address of this machine. Default: the one the system takes, 127.0.0.1. */
  readonly from?: string;
}

/** One request on a connection of its own, as the first request of a pod is. Bounded at 5 s. */
export function ask({ port, path, method = 'GET', headers = {}, from }: Ask): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        host: '127.0.0.1',
        port,
        path,
        method,
        headers,
        agent: false,
        signal: AbortSignal.timeout(5_000),
        ...(from !== undefined && { localAddress: from }),
      },
      (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (chunk) => {
          body += chunk;
        });
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
        );
      },
    );
    request.once('error', reject);
    request.end();
  });
}

const tree = '/latest/meta-data/iam/security-credentials';

export function credentialsPath(role: string): string {
  return `${tree}/${role}`;
}

/** A session token of IMDSv2, for the longest time there is. */
export async function sessionToken(port: number): Promise<string> {
  const headers = { 'x-aws-ec2-metadata-token-ttl-seconds': '21600' };
  const { status, body } = await ask({ port, path: '/latest/api/token', method: 'PUT', headers });
  if (status !== 200) throw new Error(`no session token: ${status} ${body}`);
  return body;
}
