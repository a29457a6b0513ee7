import type { Server } from 'node:net';
import { messageOf, PodpassError } from '../base/errors.ts';

/**
 * Has a server listen on an address; port 0 takes a free one.
 *
 * @param what what it stands for, to the reader of an error: `the sandbox's STS`
 * @returns the port, and `127.0.0.1:12345` or `[::1]:12345` as a URL has it
 * @throws PodpassError ERR_LISTEN
 */
export async function listen(
  server: Server,
  host: string,
  port: number,
  what: string,
): Promise<{ readonly port: number; readonly authority: string }> {
  const { promise: listening, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, host, resolve);
  try {
    await listening;
  } catch (cause) {
    const text = `cannot listen on ${host}:${port} for ${what}: ${messageOf(cause)}. Is the port taken?`;
    throw new PodpassError('ERR_LISTEN', text, { cause });
  }
  server.off('error', reject);
  const address = server.address();
  const actual = typeof address === 'object' && address ? address.port : port;
  return { port: actual, authority: `${host.includes(':') ? `[${host}]` : host}:${actual}` };
}
