import { runIn } from './namespaces.ts';

/**
 * How often the kernel of a namespace has asked again for a connection, because nobody had answered: after a second, in
 * which AWS SDKs give up. Unlike time it says the same on a busy machine.
 */
export function secondSyns(namespace: string): number {
  const [names = [], values = []] = runIn(namespace, 'cat', ['/proc/net/netstat'])
    .split('\n')
    .filter((line) => line.startsWith('TcpExt:'))
    .map((line) => line.split(' '));
  const count = Number(values[names.indexOf('TCPSynRetrans')]);
  if (Number.isNaN(count)) throw new Error('the kernel does not count TCPSynRetrans');
  return count;
}
