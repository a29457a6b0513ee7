import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { type Scope, stopWith } from '../parts/scope.ts';
import { connectAsKiam } from './kiam-client.ts';
import type { TlsFiles } from './tls-files.ts';

const tree = '/latest/meta-data/iam/security-credentials/';
/** kiam's agent tries for this long inside of one request. */
const tryMillis = 5_000;
const names = ['Code', 'Type', 'AccessKeyId', 'SecretAccessKey', 'Token', 'Expiration', 'LastUpdated'];

export interface KiamAgent {
  stop(): Promise<void>;
}

/** kiam's agent, as far as pods notice: two paths, each one call of a server, tried again for five seconds. */
export async function startKiamAgent(
  scope: Scope,
  tls: TlsFiles,
  at: { readonly port: number; readonly serverPorts: readonly number[] },
): Promise<KiamAgent> {
  const calls = at.serverPorts.map((port) => connectAsKiam(scope, tls, port));

  async function ask(method: string, fields: readonly string[]): Promise<Readonly<Record<number, string>>> {
    const end = performance.now() + tryMillis;
    for (let turn = 0; performance.now() < end; turn++) {
      const reply = await calls[turn % calls.length]?.(method, fields);
      if (reply?.kind === 'ok') return reply.fields;
      // podpass and kiam are both left and come to again, and a server that has begun may not know every pod.
      if (reply?.code !== status.UNAVAILABLE) await setTimeout(100);
      else await setTimeout(20);
    }
    throw new Error(`${method} failed for five seconds`);
  }

  const door = createServer((request, response) => {
    const from = request.socket.remoteAddress ?? '';
    const role = (request.url ?? '').slice(tree.length);
    const asking = role === '' ? ask('GetPodRole', [from]) : ask('GetPodCredentials', [from, role]);
    asking.then(
      (fields) => {
        if (role === '') response.end(fields[1]);
        else
          response.end(JSON.stringify(Object.fromEntries(names.map((name, at) => [name, fields[at + 1]]))));
      },
      (error: Error) => response.writeHead(500).end(error.message),
    );
  });
  door.listen(at.port, '127.0.0.1');
  await once(door, 'listening');

  async function stop(): Promise<void> {
    const closed = once(door, 'close');
    door.close();
    door.closeIdleConnections();
    await closed;
  }
  stopWith(scope, async () => {
    if (door.listening) await stop();
  });
  return { stop };
}
