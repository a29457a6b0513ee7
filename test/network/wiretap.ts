import { partPath } from '../parts/catalogue.ts';
import { runIn } from './namespaces.ts';
import { metadataIpv4, metadataIpv6 } from './topology.ts';

/** What arrives at the metadata addresses, packet by packet: nearer to the wire than any server's log. */
export interface Wiretap {
  /** Every address that sent TCP there so far. */
  sources(): readonly string[];
  /** Begins anew. */
  forget(): void;
}

const table = 'inet wiretap';
const sets = ['seen4', 'seen6'];

/** @param ec2 the namespace that owns the metadata addresses */
export function startWiretap(ec2: string): Wiretap {
  const nft = partPath('nft');
  runIn(
    ec2,
    nft,
    ['-f', '-'],
    `table ${table} {
       set seen4 { type ipv4_addr; flags dynamic; size 4096; }
       set seen6 { type ipv6_addr; flags dynamic; size 4096; }
       chain input {
         type filter hook prerouting priority raw; policy accept;
         ip daddr ${metadataIpv4} meta l4proto tcp add @seen4 { ip saddr }
         ip6 daddr ${metadataIpv6} meta l4proto tcp add @seen6 { ip6 saddr }
       }
     }`,
  );
  return {
    forget() {
      for (const set of sets) runIn(ec2, nft, ['flush', 'set', ...table.split(' '), set]);
    },
    sources: () =>
      sets.flatMap((set) => {
        const text = runIn(ec2, nft, ['list', 'set', ...table.split(' '), set]);
        return (
          /elements = \{([^}]*)\}/
            .exec(text)?.[1]
            ?.split(',')
            .map((address) => address.trim()) ?? []
        );
      }),
  };
}
