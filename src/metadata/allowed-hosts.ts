import type { Socket } from 'node:net';

/** Where the AWS metadata and container credential services are. Nobody can make a name resolve there for others. */
const linkLocal = ['169.254.169.254', '[fd00:ec2::254]', '169.254.170.2', '169.254.170.23', '[fd00:ec2::23]'];

/**
 * Whether a request may be meant for us, by its Host header. A page in a browser, or a library that follows names it
 * was given, can be brought to our address by a name of the attacker's that resolves to it (DNS rebinding); its
 * requests then carry that name. An address cannot be rebound, so these are taken: the link-local addresses, the
 * address that the connection reached, `localhost` over loopback, and the configured names.
 *
 * `host` is `name`, `name:port`, `address[:port]` or `[address][:port]` in any case.
 */
export function createHostCheck(names: readonly string[]): (host: string, socket: Socket) => boolean {
  const allowed = new Set([...linkLocal, ...names.map((name) => name.toLowerCase())]);
  return (host, socket) => {
    const name = withoutPort(host.toLowerCase());
    if (allowed.has(name)) return true;
    const reached = socket.localAddress;
    if (reached === undefined) return false;
    if (name === 'localhost') return isLoopback(reached);
    return name === literalOf(reached);
  };
}

function withoutPort(host: string): string {
  return host.replace(/:\d{1,5}$/, '');
}

/** As it stands in a Host header: IPv4 bare, IPv6 in brackets. Node writes IPv4 over a dual-stack socket as `::ffff:`. */
function literalOf(address: string): string {
  const bare = unmapped(address);
  return bare.includes(':') ? `[${bare}]` : bare;
}

function isLoopback(address: string): boolean {
  const bare = unmapped(address);
  return bare === '::1' || bare.startsWith('127.');
}

function unmapped(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address;
}
