import type { HostInterfaces, InterfacePattern } from './host-interfaces.ts';
import { type Family, families, metadataAddresses, metadataPort } from './metadata-addresses.ts';
import { destinationText, type Redirect } from './redirect.ts';

export const nftTable = 'inet podpass';

/** More interfaces than this, through which metadata packets arrive unexpectedly, add nothing to the warning. */
const mostStrangers = 64;

const nftFamilies = { v4: 'ip', v6: 'ip6' } as const;

/**
 * The whole of our table, as one transaction: `add` makes `delete` succeed where there is none. Priorities are numbers,
 * which every release of nft knows.
 *
 * - arrivals (-150, before any translation of addresses): notes interfaces that the rule does not name, and drops
 *   packets whose source belongs to another pod.
 * - to_agent (-110, just before dstnat): the rule. It comes before rules of iptables, so what they say does not count.
 * - not_past (-90, just after dstnat): what still goes to the metadata service is of a connection that was opened before
 *   the rule was there, which conntrack lets past it, or to another port. The caller is told by a reset.
 * - hold_callers: while nobody listens, the kernel refuses connections with a reset whose sequence number is 0. Without
 *   it the caller's kernel asks again after a second, and by then a restarted agent answers.
 */
export function renderNftRuleset(redirect: Redirect): string {
  const { interfaces, port } = redirect;
  const arriving = podInterface(interfaces, 'iifname');
  const refused = 'tcp flags & (rst | ack) == rst | ack tcp sequence 0 counter drop';

  const chains: readonly (readonly [name: string, rules: readonly string[]])[] = [
    [
      'arrivals',
      [base('filter', 'prerouting', -150), ...families.map((family) => `${toMetadata(family)} goto arrived`)],
    ],
    [
      'arrived',
      [
        'iifname "lo" return',
        ...arriving.map((pod) => `${pod} goto source`),
        'update @strangers { iifname }',
      ],
    ],
    [
      'source',
      ['fib saddr type local counter drop', ...podInterface(interfaces, 'fib saddr oifname').map(notOwn)],
    ],
    [
      'to_agent',
      [
        base('nat', 'prerouting', -110),
        ...families.flatMap((family) => {
          const destination = destinationText(redirect, family);
          if (destination === undefined) return [];
          const rule = `${toMetadata(family)} tcp dport ${metadataPort} counter dnat ${nftFamilies[family]} to ${destination}`;
          return arriving.map((pod) => `${pod} ${rule}`);
        }),
      ],
    ],
    [
      'not_past',
      [
        base('filter', 'prerouting', -90),
        ...families.map((family) => `${toMetadata(family)} meta l4proto tcp goto refuse`),
      ],
    ],
    ['refuse', arriving.map((pod) => `${pod} counter reject with tcp reset`)],
    [
      'hold_callers',
      [
        base('filter', 'output', 0),
        ...families.map((family) => `tcp sport ${port} ct original ${toMetadata(family)} ${refused}`),
      ],
    ],
  ];

  return [
    `add table ${nftTable}`,
    `delete table ${nftTable}`,
    `table ${nftTable} {`,
    `  set strangers { type ifname; size ${mostStrangers}; flags dynamic,timeout; timeout 1h; }`,
    ...chains.flatMap(([name, rules]) => [`  chain ${name} {`, ...rules.map((rule) => `    ${rule}`), '  }']),
    '}',
    '',
  ].join('\n');
}

export const holdChain = 'hold_newcomers';

/**
 * A chain that drops the first packet of each new connection to the agent. The caller's kernel sends it again after a
 * second. It goes with the table when that is installed again.
 */
export function renderNftHold({ port }: Redirect): string {
  return [
    `table ${nftTable} {`,
    `  chain ${holdChain} {`,
    `    ${base('filter', 'input', 0)}`,
    ...families.map(
      (family) =>
        `    tcp dport ${port} ct original ${toMetadata(family)} tcp flags & (syn | ack) == syn counter drop`,
    ),
    '  }',
    '}',
    '',
  ].join('\n');
}

function base(type: string, hook: string, priority: number): string {
  return `type ${type} hook ${hook} priority ${priority}; policy accept;`;
}

function toMetadata(family: Family): string {
  return `${nftFamilies[family]} daddr ${metadataAddresses[family]}`;
}

/**
 * A packet whose answer would go out through another pod's interface has that pod's address. Nothing else is dropped: a
 * CNI may route answers by rules of its own (tables of one pod, tunnels, two ways to a bridge), and what such a look-up
 * finds is then the way out of the node, or nothing.
 */
function notOwn(ownersInterface: string): string {
  return `fib saddr . iif oif missing fib saddr oif exists ${ownersInterface} counter drop`;
}

/** One condition for each of the alternatives under which the interface in `key` is a pod's. */
function podInterface({ kind, patterns }: HostInterfaces, key: string): string[] {
  if (kind === 'only') return patterns.map((pattern) => `${key} ${nftName(pattern)}`);
  return [['"lo"', ...patterns.map(nftName)].map((name) => `${key} != ${name}`).join(' ')];
}

function nftName({ stem, isPrefix }: InterfacePattern): string {
  return `"${stem}${isPrefix ? '*' : ''}"`;
}

/** What `nft -s list table` says, without what packets change. */
export interface NftListing {
  readonly rules: string;
  /** Interfaces through which metadata packets arrived that the rule does not name. */
  readonly strangers: readonly string[];
}

export function readNftListing(text: string): NftListing {
  const elements = /\belements = \{([^}]*)\}/.exec(text);
  const strangers = [...(elements?.[1] ?? '').matchAll(/"([^"]{1,15})"/g)].map(([, name = '']) => name);
  const rules = (elements ? text.replace(elements[0], '') : text).replaceAll(/\s+/g, ' ').trim();
  return { rules, strangers };
}
