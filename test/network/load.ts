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
  /**
   * From one request of a loop to its next; later only where the answer is. Default 100: what is tried is who fails
   * when agents change, not how much a machine can take.
   */
  readonly everyMillis?: number;
  /** For one try. Default 20,000: only reached when something is wrong, on a busy machine too. */
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
  /**
   * Requests sent again because their kept connection was closed in that instant, which no server can prevent and
   * clients do by themselves (RFC 9112, 9.3.1).
   */
  readonly repeated: number;
  /** The longest that a right answer took, in milliseconds. */
  readonly slowest: number;
}

export interface Load {
  /** Resolves when so many requests more have been answered. */
  untilAnswered(more: number): Promise<void>;
  stop(): Promise<LoadResult>;
}

const retryMillis = 50;
const pollMillis = 20;
const tree = '/latest/meta-data/iam/security-credentials/';

export function startLoad(options: LoadOptions): Load {
  const { role, fresh, kept, everyMillis = 100, retries = 0 } = options;
  const began = performance.now();
  const failed: string[] = [];
  const wrong: string[] = [];
  let answered = 0;
  let retried = 0;
  let repeated = 0;
  let slowest = 0;
  let stopping = false;

  async function one(agent: Agent | false, path: string, isRight: (body: string) => boolean): Promise<void> {
    const start = performance.now();
    let problem = '';
    for (let attempt = 0; attempt <= retries; attempt++) {
      if (attempt > 0) await wait(retryMillis);
      let answer = await send(options, agent, path);
      while (answer.isLostRace) {
        repeated += 1;
        answer = await send(options, agent, path);
      }
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

  async function loop(agent: Agent | false, index: number): Promise<void> {
    let next = began + (everyMillis * index) / (fresh + kept);
    for (let turn = 0; !stopping; turn++) {
      await wait(Math.max(0, next - performance.now()));
      if (turn % 2 === 0) await one(agent, tree, (body) => body === role);
      else await one(agent, tree + role, (body) => body.includes('"AccessKeyId"'));
      next = Math.max(next + everyMillis, performance.now());
    }
    if (agent) agent.destroy();
  }

  const loops = Array.from({ length: fresh + kept }, (_, index) =>
    loop(index < fresh ? false : new Agent({ keepAlive: true, maxSockets: 1 }), index),
  );
  return {
    async untilAnswered(more) {
      const enough = answered + more;
      while (answered < enough && !stopping) await wait(pollMillis);
    },
    async stop() {
      stopping = true;
      await Promise.all(loops);
      return { answered, failed, wrong, retried, repeated, slowest: Math.round(slowest) };
    },
  };
}

interface Answer {
  /** 0: there was none, and the body says why. */
  readonly status: number;
  readonly body: string;
  /** The server closed a kept connection in the instant in which a request was sent on it. */
  readonly isLostRace?: boolean;
}

function send(
  { host, port = 80, boundMillis = 20_000, from }: LoadOptions,
  agent: Agent | false,
  path: string,
): Promise<Answer> {
  const { promise, resolve } = Promise.withResolvers<Answer>();
  const sent = request({
    host,
    port,
    path,
    agent,
    headers: { host: host.includes(':') ? `[${host}]` : host },
    signal: AbortSignal.timeout(boundMillis),
    ...(from === undefined ? {} : { localAddress: from }),
  });
  const fail = (error: Error & { code?: string }) => {
    const code = error.code ?? error.name;
    resolve({ status: 0, body: code, isLostRace: sent.reusedSocket && code === 'ECONNRESET' });
  };
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
