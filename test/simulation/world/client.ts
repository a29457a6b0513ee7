import type { FakeClock } from '../../../src/base/fake-clock.ts';
import type { Random } from '../../../src/base/random.ts';
import type { Ask, TokenUse } from '../check/history.ts';
import type { DoorRequest } from './door-client.ts';
import type { NodeProcess } from './node-process.ts';
import type { SimNode } from './pods.ts';
import type { Recorder } from './record.ts';

/** Who asks: a pod, or with no UID a process of the node itself. */
export interface Sender {
  readonly uid: string | undefined;
  readonly address: string;
  readonly node: SimNode;
}

export interface ClientOptions {
  readonly clock: FakeClock;
  readonly random: Random;
  readonly recorder: Recorder;
  /** The process that takes the next connection of a node, if one does. */
  readonly processOn: (node: SimNode) => NodeProcess | undefined;
  /** A role that is not necessarily the sender's. */
  readonly anyRole: () => string;
}

/** A session token as a client holds it. */
interface HeldToken extends TokenUse {
  readonly text: string;
}

/** Asks as AWS SDKs do: for a token or not, for the list, and for the credentials of what is in it. */
export interface Clients {
  ask(sender: Sender): void;
}

const tree = '/latest/meta-data/iam/security-credentials/';
const tokenHeader = 'X-aws-ec2-metadata-token';
const ttlHeader = 'X-aws-ec2-metadata-token-ttl-seconds';
const tokenSeconds = 600;

export function createClients({ clock, random, recorder, processOn, anyRole }: ClientOptions): Clients {
  /** The last token of each pod. */
  const tokens = new Map<string, HeldToken>();

  function send(
    sender: Sender,
    ask: Ask,
    request: DoorRequest,
    next: (answer: { status: number; body: string }) => void,
  ): void {
    const process = processOn(sender.node);
    if (!process) return;
    const note = recorder.request({
      process: process.name,
      node: sender.node.name,
      address: sender.address,
      sender: sender.uid,
      ask,
    });
    process.ask(sender.address, request, (answer) => {
      note(answer);
      next(answer);
    });
  }

  function withToken(sender: Sender, use: (token: HeldToken | undefined) => void): void {
    const key = sender.uid ?? sender.address;
    const held = tokens.get(key);
    const draw = random.next();
    if (draw < 0.4) {
      use(undefined);
    } else if (draw < 0.6 && held && held.expiresAt > clock.monotonic()) {
      use(held);
    } else if (draw < 0.65 && tokens.size > 0) {
      // Another pod's, as one that found it would try.
      const others = [...tokens.values()];
      use(others[Math.floor(random.next() * others.length)]);
    } else {
      const headers = { [ttlHeader]: String(tokenSeconds) };
      const asked = clock.monotonic();
      send(sender, { kind: 'token' }, { method: 'PUT', path: '/latest/api/token', headers }, (answer) => {
        if (answer.status !== 200) return;
        const token: HeldToken = {
          text: answer.body,
          issuedTo: key,
          address: sender.address,
          issuedAt: asked,
          expiresAt: asked + tokenSeconds * 1_000,
        };
        tokens.set(key, token);
        use(token);
      });
    }
  }

  return {
    ask(sender) {
      withToken(sender, (token) => {
        const headers = token ? { [tokenHeader]: token.text } : ({} as Record<string, string>);
        const used = token && {
          issuedTo: token.issuedTo,
          address: token.address,
          issuedAt: token.issuedAt,
          expiresAt: token.expiresAt,
        };
        const list: Ask = { kind: 'list', ...(used && { token: used }) };
        send(sender, list, { method: 'GET', path: tree, headers }, (answer) => {
          const isCurious = random.next() < 0.1;
          if (answer.status !== 200 && !isCurious) return;
          const role = isCurious ? anyRole() : answer.body;
          const ask: Ask = { kind: 'credentials', role, ...(used && { token: used }) };
          send(sender, ask, { method: 'GET', path: `${tree}${role}`, headers }, () => {});
        });
      });
    },
  };
}
