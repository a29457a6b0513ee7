import type { Clock } from '../../../src/base/clock.ts';
import { readStatusFailure } from '../../../src/cluster/api-status.ts';
import type {
  ClusterConnection,
  JsonOutcome,
  JsonRequest,
  StreamOutcome,
  StreamRequest,
} from '../../../src/cluster/connection.ts';
import { createFakeStream } from '../../../src/cluster/testing/fake-stream.ts';
import type { ApiAnswer, ApiServer, WatchLine } from './api-server.ts';
import type { Change } from './cluster-state.ts';
import type { Flow, Network, Party } from './network.ts';

/** What the API server told a process. */
export interface NewsSink {
  /** It has all objects of this path as they were at this version. */
  listed(path: string, version: number): void;
  /** It has heard of this change. */
  heard(change: Change): void;
}

export interface ApiConnectionOptions {
  readonly network: Network;
  readonly process: Party;
  readonly clock: Clock;
  readonly api: ApiServer;
  readonly news: NewsSink;
}

/** One process's way to the API server, over the simulated network. Notes when which news arrived. */
export function createApiConnection(options: ApiConnectionOptions): ClusterConnection {
  const { network, process, clock, api, news } = options;

  /** Resolves with what `use` resolves with, `undefined` in the time given, or why there is no connection. */
  function attempt<T>(
    millis: number,
    signal: AbortSignal,
    use: (flow: Flow, done: (value: T) => void, isOver: () => boolean) => (why: string) => void,
  ): Promise<T | { readonly broken: string }> {
    return new Promise((resolve, reject) => {
      let isOver = false;
      let opened: Flow | undefined;
      const end = (settle: () => void, closes: boolean) => {
        if (isOver) return;
        isOver = true;
        timer.cancel();
        signal.removeEventListener('abort', onAbort);
        if (closes) opened?.close(process);
        settle();
      };
      const onAbort = () => end(() => reject(signal.reason), true);
      const timer = clock.setTimer(millis, () =>
        end(() => resolve({ broken: `no answer within ${millis} ms` }), true),
      );
      let onLater = (_why: string) => {};
      let onPeer = () => {};
      if (signal.aborted) {
        onAbort();
        return;
      }
      signal.addEventListener('abort', onAbort);
      network.connect({
        from: process,
        to: api,
        onOpen(flow) {
          opened = flow;
          if (isOver) {
            flow.close(process);
            return;
          }
          onLater = use(
            flow,
            (value) => end(() => resolve(value), false),
            () => isOver,
          );
          onPeer = () => onLater('peer');
        },
        onBroken(why) {
          end(() => resolve({ broken: why }), false);
          onLater(why);
        },
        onPeerBroken: () => onPeer(),
      });
    });
  }

  async function requestJson(request: JsonRequest): Promise<JsonOutcome> {
    const { method, path, query = {}, body, timeoutMillis, signal } = request;
    const answer = await attempt<ApiAnswer>(timeoutMillis, signal, (flow, done) => {
      flow.send(process, () => {
        const given = api.answer({ method, path, query, body });
        flow.send(api, () => {
          flow.close(process);
          done(given);
        });
      });
      return () => {};
    });
    if ('broken' in answer) return { kind: 'unreachable', message: answer.broken };
    if (answer.status >= 300) return readStatusFailure(answer.body, answer.status, undefined);
    if (method === 'GET' && query.limit !== 1) {
      const { metadata } = answer.body as { metadata: { resourceVersion: string } };
      news.listed(path, Number(metadata.resourceVersion));
    }
    return { kind: 'ok', status: answer.status, body: structuredClone(answer.body) };
  }

  async function openStream(request: StreamRequest): Promise<StreamOutcome> {
    const { path, query = {}, openMillis, silenceMillis, signal } = request;
    const stream = createFakeStream();
    const answer = await attempt<ApiAnswer | { readonly open: true }>(openMillis, signal, (flow, done) => {
      let stop = () => {};
      flow.send(process, () => {
        /** Lines that are due before the head of the answer has been sent. */
        const begun: WatchLine[] = [];
        let send = (line: WatchLine): unknown => begun.push(line);
        const started = api.watch({ method: 'GET', path, query }, (line) => send(line));
        if (typeof started !== 'function') {
          flow.send(api, () => {
            flow.close(process);
            done(started);
          });
          return;
        }
        stop = started;
        flow.send(api, () => done({ open: true }));
        send = (line) => flow.send(api, () => take(line, flow));
        for (const line of begun) send(line);
      });
      return (why) => {
        stop();
        if (why !== 'peer') stream.end('lost');
      };
    });
    if ('broken' in answer) return { kind: 'unreachable', message: answer.broken };
    if ('status' in answer) return readStatusFailure(answer.body, answer.status, undefined);
    return { kind: 'open', items: stream.items({ clock, silenceMillis, signal }) };

    function take(line: WatchLine, flow: Flow): void {
      if (stream.ended) {
        flow.close(process);
        return;
      }
      if (line.kind === 'end') {
        stream.end('closed');
        flow.close(process);
        return;
      }
      stream.send(line.value);
      if (line.listedAt !== undefined) news.listed(path, line.listedAt);
      if (line.change) news.heard(line.change);
      if (line.kind === 'line' && line.behind) take(line.behind, flow);
    }
  }

  return { server: 'api', requestJson, openStream, close() {} };
}
