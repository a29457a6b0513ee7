import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import { listen } from '../listen.ts';
import { describeInstance, type Instance, type IssueInstanceCredentials } from './instance.ts';
import { lookUpMetadata } from './metadata-tree.ts';
import { createTokenTable } from './token-table.ts';

export interface Ec2MetadataOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly instance: Instance;
  /** Called when credentials are asked for and none are fresh. */
  readonly issueCredentials: IssueInstanceCredentials;
  /** `required`: IMDSv2 alone. `optional`: IMDSv1 as well. */
  readonly httpTokens: 'optional' | 'required';
}

/** One request that was answered. No header is kept: tokens are secrets. */
export interface Ec2MetadataRequest {
  readonly method: string;
  readonly path: string;
  /** HTTP status answered. */
  readonly status: number;
  readonly from: string;
}

/** Stands in for the metadata service of one EC2 instance. */
export interface Ec2Metadata {
  /** The latest requests, oldest first; bounded. */
  readonly requests: readonly Ec2MetadataRequest[];
  /**
   * Serves on an address; port 0 takes a free one.
   *
   * @throws PodpassError ERR_LISTEN
   */
  listen(host: string, port: number): Promise<ListeningEc2Metadata>;
}

export interface ListeningEc2Metadata {
  /** `http://127.0.0.1:12345` */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

interface Reply {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const tokenPath = '/latest/api/token';
const ttlHeader = 'x-aws-ec2-metadata-token-ttl-seconds';
const tokenHeader = 'x-aws-ec2-metadata-token';
/** EC2's limit: six hours. */
const longestToken = 21_600;
const maxRequests = 10_000;

/**
 * Makes a stand-in for an instance's metadata service, versions 1 and 2, by the rules of the EC2 user guide. What it
 * says of credentials and user data is real in the sandbox, so that a leak of either can be seen.
 *
 * @example
 * ```ts
 * const imds = createEc2Metadata({
 *   clock: systemClock,
 *   random: systemRandom,
 *   instance,
 *   issueCredentials: () => sts.issueFor(instance.roleArn, { sessionName: instance.instanceId }),
 *   httpTokens: 'required',
 * });
 * const { url, close } = await imds.listen('127.0.0.1', 0);
 * ```
 */
export function createEc2Metadata(options: Ec2MetadataOptions): Ec2Metadata {
  const { clock, random, instance, httpTokens } = options;
  const tree = { latest: describeInstance(clock, instance, options.issueCredentials) };
  const tokens = createTokenTable(clock, random);
  let requests: Ec2MetadataRequest[] = [];

  function answer(method: string, path: string, headers: IncomingHttpHeaders): Reply {
    if (path === tokenPath) return answerToken(method, headers);
    if (method !== 'GET' && method !== 'HEAD') return plain(405, { allow: 'OPTIONS, GET, HEAD' });
    const token = headers[tokenHeader];
    // A token that is wrong is refused even where none is needed.
    if (token === undefined ? httpTokens === 'required' : !tokens.isValid(String(token))) return plain(401);
    if (path === '/') return { status: 200, body: 'latest' };
    const found = lookUpMetadata(tree, path.slice(1).split('/'));
    return found.kind === 'found' ? { status: 200, body: found.body } : plain(404);
  }

  function answerToken(method: string, headers: IncomingHttpHeaders): Reply {
    if (method !== 'PUT') return plain(405, { allow: 'OPTIONS, PUT' });
    // A proxy that was talked into forwarding is not the instance.
    if (headers['x-forwarded-for'] !== undefined) return plain(403);
    const ttl = String(headers[ttlHeader] ?? '');
    const seconds = /^\d{1,5}$/.test(ttl) ? Number(ttl) : 0;
    if (seconds < 1 || seconds > longestToken) return plain(400);
    return { status: 200, body: tokens.issue(seconds), headers: { [ttlHeader]: String(seconds) } };
  }

  function answerOrFail(method: string, path: string, headers: IncomingHttpHeaders): Reply {
    try {
      return answer(method, path, headers);
    } catch {
      return plain(500);
    }
  }

  return {
    get requests() {
      return requests.slice(-maxRequests);
    },
    async listen(host, port) {
      const server = createServer(
        { requestTimeout: 10_000, headersTimeout: 5_000, maxHeaderSize: 8_192 },
        (request, response) => {
          const { method = '', url: target = '' } = request;
          // AWS's metadata client for JavaScript asks for `//latest/…`, and EC2 answers.
          const path = (target.split('?', 1)[0] ?? '').replace(/\/{2,}/g, '/');
          const reply = answerOrFail(method, path, request.headers);
          requests.push({ method, path, status: reply.status, from: request.socket.remoteAddress ?? '' });
          // Cut rarely, so that adding stays cheap.
          if (requests.length >= maxRequests * 2) requests = requests.slice(-maxRequests);
          response.writeHead(reply.status, {
            server: 'EC2ws',
            'content-type': 'text/plain',
            'content-length': Buffer.byteLength(reply.body),
            ...reply.headers,
          });
          response.end(reply.body);
          request.resume();
        },
      );
      server.maxConnections = 256;
      const { port: actual, authority } = await listen(server, host, port, 'the EC2 stand-in');
      return {
        url: `http://${authority}`,
        port: actual,
        close: () =>
          new Promise((resolve) => {
            server.close(() => resolve());
            server.closeAllConnections();
          }),
      };
    },
  };
}

const statusTexts: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Not Allowed',
  500: 'Internal Server Error',
};

function plain(status: number, headers?: Readonly<Record<string, string>>): Reply {
  return { status, body: statusTexts[status] ?? '', ...(headers && { headers }) };
}
