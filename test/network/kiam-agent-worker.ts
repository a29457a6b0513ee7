// kiam's agent on a node, as far as pods notice: it answers by their IPv4 addresses, and ends as Go's http.Server does.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { serveCommands } from './worker.ts';

const tree = '/latest/meta-data/iam/security-credentials/';
let door: Server | undefined;
let connections = 0;
let requests = 0;

const commands = {
  /** @param roles by the address of the pod */
  async start(host: string, port: number, roles: Readonly<Record<string, string>>): Promise<void> {
    const server = createServer((request, response) => {
      requests += 1;
      const role = roles[request.socket.remoteAddress ?? ''];
      if (role === undefined) response.writeHead(500).end();
      else if (request.url === tree) response.end(role);
      else response.end(JSON.stringify({ AccessKeyId: `ASIAKIAM${role}` }));
    });
    server.on('connection', () => {
      connections += 1;
    });
    // Go's keep idle connections for as long as it takes.
    server.keepAliveTimeout = 0;
    server.listen(port, host);
    await once(server, 'listening');
    door = server;
  },
  /** Idle connections are closed at once, others after their answer. */
  async stop(): Promise<void> {
    if (!door) return;
    const closed = once(door, 'close');
    door.close();
    door.closeIdleConnections();
    await closed;
  },
  /** How many there have been so far. */
  counts: () => ({ connections, requests }),
};

export type KiamAgentCommands = typeof commands;

if (process.send) serveCommands(commands);
