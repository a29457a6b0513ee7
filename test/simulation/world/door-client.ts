import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Broker } from '../../../src/broker/broker.ts';
import { newConnection } from '../../../src/metadata/connection.ts';
import { createDoor } from '../../../src/metadata/door.ts';
import { createTokenSigner, deriveTokenKey } from '../../../src/metadata/session-token.ts';
import type { Runtime, SimProcess } from './runtime.ts';

export interface DoorRequest {
  readonly method: 'GET' | 'PUT';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface DoorAnswer {
  readonly status: number;
  readonly body: string;
}

/** The metadata door of a process, but for the sockets. `answered` comes at once, later, or never if the process ends. */
export type AskDoor = (address: string, request: DoorRequest, answered: (answer: DoorAnswer) => void) => void;

/** The agents of a node have one key. */
const keys = new Map<string, Uint8Array>();

function keyOf(node: string): Uint8Array {
  const key = keys.get(node) ?? deriveTokenKey(Buffer.from(`the private key of ${node}`));
  keys.set(node, key);
  return key;
}

export function openDoor(runtime: Runtime, process: SimProcess, broker: Broker): AskDoor {
  const { clock, context, place } = process;
  const { metrics, logger, health } = context;
  const door = createDoor(
    {
      broker,
      tokenSigner: createTokenSigner({ keys: [keyOf(place)], clock }),
      imds: runtime.settings.imds,
      podWaitMillis: 800,
      proxy: { upstream: 'http://127.0.0.1:9' },
      health: () => health.report('ready'),
      liveness: () => health.report('live'),
      metrics,
      logger,
      clock,
    },
    { headerCount: 64, bodyBytes: 4_096 },
    () => false,
  );
  return (address, { method, path, headers }, answered) => {
    const rawHeaders = ['Host', '169.254.169.254', ...Object.entries(headers).flat()];
    const socket = { bytesRead: 0, destroy() {} } as unknown as Socket;
    const request = {
      method,
      url: path,
      rawHeaders,
      httpVersionMajor: 1,
      httpVersionMinor: 1,
      socket,
      on() {},
    };
    let status = 0;
    const response = Object.assign(new EventEmitter(), {
      shouldKeepAlive: true,
      writeHead(code: number) {
        status = code;
      },
      end(body: string) {
        if (!process.isDead) answered({ status, body: String(body) });
      },
      destroy() {},
    });
    const connection = newConnection(socket, address);
    door.handle(request as unknown as IncomingMessage, response as unknown as ServerResponse, connection);
  };
}
