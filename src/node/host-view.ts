import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { countPortListeners } from './port-listeners.ts';

/** What the host says of itself without a tool being run. */
export interface HostView {
  /** Every interface there is, up or not. */
  readonly interfaceNames: () => readonly string[];
  readonly hasIPv6: () => boolean;
  /** Whether the nat table of the older iptables is in use. */
  readonly hasLegacyNat: () => boolean;
  /** How many sockets listen on a TCP port of the host. */
  readonly countListeners: (port: number) => Promise<number>;
  /** Whether this process may change the network. */
  readonly mayAdministerNetwork: () => boolean;
}

/** Bit of CAP_NET_ADMIN (capabilities(7)). */
const netAdmin = 12n;

export const hostView: HostView = {
  // os.networkInterfaces() leaves out what has no address, as veth pairs of pods have none.
  interfaceNames: () => readdirSync('/sys/class/net'),
  hasIPv6: () => existsSync('/proc/net/if_inet6'),
  hasLegacyNat() {
    const list = '/proc/net/ip_tables_names';
    if (!existsSync(list)) return false;
    try {
      return readFileSync(list, 'utf8').split('\n').includes('nat');
    } catch {
      // Only root may read it. Asking iptables is the other way to know.
      return true;
    }
  },
  countListeners: (port) => countPortListeners(port),
  mayAdministerNetwork() {
    const [, effective = '0'] =
      /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    return ((BigInt(`0x${effective}`) >> netAdmin) & 1n) === 1n;
  },
};
