import { once } from 'node:events';
import { createServer } from 'node:http';
import { type Scope, stopWith } from '../parts/scope.ts';

const tree = '/latest/meta-data/iam/security-credentials/';

/** kube2iam, as far as pods notice: it knows them by their addresses, and has credentials for each. */
export async function startKube2iam(
  scope: Scope,
  { port, roles }: { readonly port: number; readonly roles: ReadonlyMap<string, string> },
): Promise<{ stop(): Promise<void> }> {
  const door = createServer((request, response) => {
    const role = roles.get(request.socket.remoteAddress ?? '');
    const path = request.url ?? '';
    response.setHeader('Server', 'EC2ws');
    if (role === undefined) response.writeHead(404).end('unable to find role');
    else if (path === tree) response.end(role);
    else if (path === tree + role) response.end(`${JSON.stringify(credentialsOf(role))}\n`);
    else response.writeHead(403).end(`Invalid role ${path.slice(tree.length)}`);
  });
  door.listen(port, '127.0.0.1');
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

function credentialsOf(role: string) {
  const now = new Date();
  const seconds = (time: Date) => time.toISOString().replace(/\.\d+Z$/, 'Z');
  return {
    AccessKeyId: accessKeyOfKube2iam(role),
    Code: 'Success',
    Expiration: seconds(new Date(now.getTime() + 1_800_000)),
    LastUpdated: seconds(now),
    SecretAccessKey: `secret-of-${role}`,
    Token: `token-of-${role}`,
    Type: 'AWS-HMAC',
  };
}

/** Tells by whom a pod was served. */
export function accessKeyOfKube2iam(role: string): string {
  return `ASIAKUBE2IAM${role}`;
}
