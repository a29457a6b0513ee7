// Either half of kiam, played by a program on kiam's own gRPC library: test/parts/kiam-peer.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { partPath } from '../parts/catalogue.ts';
import { startProcess } from '../parts/process.ts';
import { type Scope, stopWith } from '../parts/scope.ts';
import { eventually } from './eventually.ts';
import type { Harness } from './harness.ts';

/** What the part prints of a call that it was given (`serve`). */
export interface PeerCall {
  readonly event: 'call';
  readonly method: string;
  readonly ip: string;
  readonly role: string;
  readonly peer: string;
}

/** What the part prints of a call that it made (`call`). */
export interface PeerAnswer {
  readonly event: 'answer';
  /** `METHOD/IP/ROLE`. */
  readonly call: string;
  /** `OK`, `Unknown`, … */
  readonly code: string;
  readonly message: string;
  /** Who answered: `127.0.0.1:9610`. */
  readonly peer: string;
  /** The bytes of the message. */
  readonly hex: string;
  /** What came of the attempts before the last one. */
  readonly failures: readonly string[];
  readonly millis: number;
}

type PeerEvent = PeerCall | PeerAnswer | { readonly event: 'listening' | 'connected' | 'disconnected' };

/** A pod as a kiam server is told of it. */
export interface PeerPod {
  readonly role: string;
  readonly credentials?: readonly string[];
  /** What GetPodCredentials fails with. */
  readonly error?: string;
  /** How long that takes. */
  readonly delayMillis?: number;
}

export interface Peer {
  /** How it ended, in words; `undefined` while it runs. */
  readonly ended: string | undefined;
  /** Each line that is no event: its library's own log, at the level that tells of connections. */
  readonly log: readonly string[];
  /** How many connections began. */
  connections(): number;
}

/** kiam's server. */
export interface PeerServer extends Peer {
  readonly port: number;
  calls(): readonly PeerCall[];
  kill(): Promise<void>;
  /** As Kubernetes ends it: calls come to their end, new ones are not taken. */
  drain(): Promise<void>;
}

/** kiam's agent. */
export interface PeerClient extends Peer {
  answers(): readonly PeerAnswer[];
  /** Resolves to all answers when it has made all its calls. @throws Error with its log when it fails. */
  done(): Promise<readonly PeerAnswer[]>;
  stop(): Promise<void>;
}

const listenBound = 10_000;
const drainBound = 20_000;
const clientBound = 60_000;

/** @param pods address to pod */
export async function startPeerServer(
  scope: Scope,
  { folder, tls }: Pick<Harness, 'folder' | 'tls'>,
  port: number,
  pods: Readonly<Record<string, PeerPod>>,
  flags: readonly string[] = [],
): Promise<PeerServer> {
  const podsFile = join(folder, `pods-${port}.json`);
  await writeFile(podsFile, JSON.stringify(pods), { mode: 0o600 });
  const bind = `--bind=127.0.0.1:${port}`;
  const { child, events, peer } = startPeer(scope, [
    'serve',
    ...tls.server,
    bind,
    `--pods=${podsFile}`,
    ...flags,
  ]);
  const isListening = async () => events.some(({ event }) => event === 'listening');
  await child.untilReady(isListening, listenBound, scope.signal);
  return {
    ...peer,
    get ended() {
      return child.ended;
    },
    port,
    calls: () => events.filter((event) => event.event === 'call'),
    kill: () => child.stop('SIGKILL'),
    drain: () => child.stop('SIGTERM', drainBound),
  };
}

export function startPeerClient(
  scope: Scope,
  { tls }: Pick<Harness, 'tls'>,
  flags: readonly string[],
): PeerClient {
  const { child, events, peer } = startPeer(scope, ['call', ...tls.agent, ...flags]);
  const answers = () => events.filter((event) => event.event === 'answer');
  return {
    ...peer,
    get ended() {
      return child.ended;
    },
    answers,
    async done() {
      const ended = await eventually(() => {
        assert.ok(child.ended, 'the client still runs');
        return child.ended;
      }, clientBound);
      assert.equal(ended, 'ended with status 0', child.log());
      return answers();
    },
    stop: () => child.stop(),
  };
}

function startPeer(scope: Scope, args: readonly string[]) {
  const events: PeerEvent[] = [];
  const log: string[] = [];
  const child = startProcess({
    title: `kiam-peer ${args[0]}`,
    file: partPath('kiam-peer'),
    args,
    env: {
      PATH: process.env.PATH ?? '',
      GRPC_GO_LOG_SEVERITY_LEVEL: 'info',
      GRPC_GO_LOG_VERBOSITY_LEVEL: '2',
    },
    bareEnv: true,
    onLine: (line) => (line.startsWith('{"') ? events.push(JSON.parse(line)) : log.push(line)),
  });
  stopWith(scope, () => child.stop());
  const connections = () => events.filter(({ event }) => event === 'connected').length;
  return { child, events, peer: { log, connections } };
}
