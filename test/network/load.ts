import { Agent, request } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';

/** Asks for the credentials of a pod, again and again. */
export interface LoadOptions {
  readonly host: string;
  readonly port?: number;
  /** Who the pod is: any other answer is a wrong one. */
  readonly role: string;
  /** Loops that open a connection for each request. */
  readonly fresh: number;
  /** Loops that keep theirs. */
  readonly kept: number;
  /** Between an answer and the next request. Default 5. */
  readonly pauseMillis?: number;
  /** For one try. Default 5,000, which is what Kubernetes users give clients that must not fail. */
  readonly boundMillis?: number;
  /** More tries after one that failed, each a little later, as SDKs make them. Default 0. */
  readonly retries?: number;
  readonly from?: string;
}

export interface LoadResult {
  /** Right answers. */
  readonly answered: number;
  /** Requests that failed with all their tries: why, and when in milliseconds of the load. */
  readonly failed: readonly string[];
  /** Answers that were not the pod's. There must be none, ever. */
  readonly wrong: readonly string[];
  /** Tries that failed, of requests that went well in the end. */
  readonly retried: number;
  /** The longest that a right answer took, in milliseconds. */
  readonly slowest: number;
}

export interface Load {
  stop(): Promise<LoadResult>;
}

const retryMillis = 50;
const tree = '/latest/meta-data/iam/security-credentials/';

export function startLoad(options: LoadOptions): Load {
  const { role, fresh, kept, pauseMillis = 5, retries = 0 } = options;
  const began = performance.now();
  const failed: string[] = [];
  const wrong: string[] = [];
  let answered = 0;
  let retried = 0;
  let slowest = 0;
  let stopping = false;

  async function one(agent: Agent | false, path: string, isRight: (body: string) => boolean): Promise<void> {
    const start = performance.now();
    let problem = '';
    for (let attempt = 0; attempt <= retries; attempt++) {
      if (attempt > 0) await wait(retryMillis);
      const answer = await send(options, agent, path);
      if (answer.status === 200 && isRight(answer.body)) {
        answered += 1;
        retried += attempt;
        slowest = Math.max(slowest, performance.now() - start);
        return;
      }
      problem = `${answer.status || answer.body} after ${Math.round(performance.now() - began)} ms`;
      if (answer.status === 200) wrong.push(answer.body);
    }
    failed.push(problem);
  }

  async function loop(agent: Agent | false): Promise<void> {
    while (!stopping) {
      await one(agent, tree, (body) => body === role);
      await one(agent, tree + role, (body) => body.includes('"AccessKeyId"'));
      await wait(pauseMillis);
    }
    if (agent) agent.destroy();
  }

  const loops = [
    ...Array.from({ length: fresh }, () => loop(false)),
    ...Array.from({ length: kept }, () => loop(new Agent({ keepAlive: true, maxSockets: 1 }))),
  ];
  return {
    async stop() {
      stopping = true;
      await Promise.all(loops);
      return { answered, failed, wrong, retried, slowest: Math.round(slowest) };
    },
  };
}

/** Status 0: there was no answer, and the body says why. */
function send(
  { host, port = 80, boundMillis = 5_000, from }: LoadOptions,
  agent: Agent | false,
  path: string,
): Promise<{ status: number; body: string }> {
  const { promise, resolve } = Promise.withResolvers<{ status: number; body: string }>();
  const sent = request({
    host,
    port,
    path,
    agent,
    headers: { host: host.includes(':') ? `[${host}]` : host },
    signal: AbortSignal.timeout(boundMillis),
    ...(from === undefined ? {} : { localAddress: from }),
  });
  const fail = (error: Error & { code?: string }) =>
    resolve({
      status: 0,
      body: `${error.code ?? error.name}${sent.reusedSocket ? ' on a kept connection' : ''}`,
    });
  sent.once('error', fail);
  sent.once('response', (response) => {
    response.setEncoding('utf8');
    response
      .toArray()
      .then((chunks) => resolve({ status: response.statusCode ?? 0, body: chunks.join('') }), fail);
  });
  sent.end();
  return promise;
}
