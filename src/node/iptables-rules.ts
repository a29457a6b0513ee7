import type { HostInterfaces } from './host-interfaces.ts';
import { patternText } from './host-interfaces.ts';
import { type Family, metadataAddresses, metadataPort } from './metadata-addresses.ts';
import { destinationText, type Redirect } from './redirect.ts';

/** A rule in nat PREROUTING that sends metadata requests somewhere: kiam's, kube2iam's or ours. They look the same. */
export interface MetadataRedirect {
  /** As `-S` lists it, from `-A` on. */
  readonly line: string;
  /** `cali+`, `!eth0`, or `+` where the rule names none. */
  readonly interface: string;
  readonly destination: string;
}

/** Where several interfaces are excluded, one rule cannot say it: a chain does. */
export const redirectChain = 'PODPASS-REDIRECT';
export const forwardChain = 'PODPASS-FORWARD';
export const outputChain = 'PODPASS-OUTPUT';

const allOfThem = { v4: '/32', v6: '/128' } as const;

/** Options that kiam's rule has, and how `-S` may write them. A rule with any other is somebody else's. */
const longNames: Readonly<Record<string, string>> = {
  '--protocol': '-p',
  '--destination': '-d',
  '--dst': '-d',
  '--destination-port': '--dport',
  '--in-interface': '-i',
  '--jump': '-j',
  '--match': '-m',
};
const knownOptions = new Set([
  '-A',
  '-p',
  '-d',
  '-i',
  '-j',
  '-m',
  '--dport',
  '--to-destination',
  '--comment',
]);

/** Finds them in what `iptables -t nat -S PREROUTING` lists, whatever the order of their arguments. */
export function readRedirects(listing: string, family: Family): MetadataRedirect[] {
  return listing.split('\n').flatMap((line) => readRedirect(line.trim(), family) ?? []);
}

function readRedirect(line: string, family: Family): MetadataRedirect | undefined {
  const options = line.startsWith('-A ') ? readOptions(line) : undefined;
  if (!options) return undefined;
  const address = metadataAddresses[family];
  const destination = options.get('-d');
  if (destination !== address && destination !== address + allOfThem[family]) return undefined;
  const isOurs =
    options.get('-A') === 'PREROUTING' &&
    options.get('-p') === 'tcp' &&
    options.get('--dport') === String(metadataPort) &&
    options.get('-j') === 'DNAT';
  const to = options.get('--to-destination');
  if (!isOurs || to === undefined) return undefined;
  return { line, interface: options.get('-i') ?? '+', destination: to };
}

/** The options of a rule, a negated value with `!` before it. `undefined` when there are others than kiam's. */
function readOptions(line: string): Map<string, string> | undefined {
  // Words end as they do for iptables-restore, which gets the line back.
  const words = [...line.matchAll(/"((?:[^"\\]|\\.)*)"|([^ \t]+)/gs)].map(
    ([, quoted, bare]) => quoted ?? bare ?? '',
  );
  const options = new Map<string, string>();
  let negation = '';
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (word === '!') {
      negation = '!';
      continue;
    }
    const option = longNames[word] ?? word;
    const value = words[at + 1];
    if (!knownOptions.has(option) || value === undefined) return undefined;
    // Releases before 1.4.3 wrote `-i ! eth0`.
    if (value === '!') negation = '!';
    if (value === '!') at += 1;
    options.set(option, negation + (words[at + 1] ?? ''));
    negation = '';
    at += 1;
  }
  return options;
}

/** kiam's rule, once for each interface; or none where a chain is needed. */
export function wantedInterfaces({ kind, patterns }: HostInterfaces): readonly string[] | undefined {
  if (patterns.length === 0) return ['+'];
  if (kind === 'only') return patterns.map(patternText);
  const [first, second] = patterns;
  return first && !second ? [`!${patternText(first)}`] : undefined;
}

/** What `iptables-restore --noflush` does to the nat table, or nothing where all is as it should be. */
export function renderNat(redirect: Redirect, family: Family, listing: string): string | undefined {
  const destination = destinationText(redirect, family);
  const { wrong, missing } = compareNat(redirect, family, listing);
  const chain = destination === undefined ? [] : chainLines(redirect.interfaces, destination);
  const request = `-p tcp -d ${metadataAddresses[family]} --dport ${metadataPort}`;
  const lines = [
    ...chain,
    ...wrong.map((line) => line.replace(/^-A /, '-D ')),
    // First in the chain: of several rules the first wins.
    ...missing.map((name) =>
      name === redirectChain
        ? `-I PREROUTING 1 ${request} -j ${redirectChain}`
        : `-I PREROUTING 1 ${request} -j DNAT --to-destination ${destination}${interfaceOption(name)}`,
    ),
  ];
  return lines.length === 0 ? undefined : transaction('nat', lines);
}

/** The chain, emptied and filled, where one is needed: a jump to it tells nothing of what is in it. */
function chainLines(interfaces: HostInterfaces, destination: string): readonly string[] {
  if (wantedInterfaces(interfaces)) return [];
  return [
    `:${redirectChain} - [0:0]`,
    ...interfaces.patterns.map((pattern) => `-A ${redirectChain} -i ${patternText(pattern)} -j RETURN`),
    `-A ${redirectChain} -p tcp -j DNAT --to-destination ${destination}`,
  ];
}

export interface NatComparison {
  /** Lines that send metadata requests elsewhere. They would win over a rule after them. */
  readonly wrong: readonly string[];
  /** Interfaces whose rule is not there, or the name of our chain. */
  readonly missing: readonly string[];
}

export function compareNat(redirect: Redirect, family: Family, listing: string): NatComparison {
  const destination = destinationText(redirect, family);
  const redirects = readRedirects(listing, family);
  const jumps = rulesThatJump(listing, redirectChain);
  const interfaces = destination === undefined ? [] : wantedInterfaces(redirect.interfaces);
  const wrong = redirects.filter((found) => found.destination !== destination).map(({ line }) => line);
  if (interfaces === undefined) return { wrong, missing: jumps.length > 0 ? [] : [redirectChain] };
  const present = new Set(
    redirects.filter((found) => found.destination === destination).map((found) => found.interface),
  );
  return { wrong: [...wrong, ...jumps], missing: interfaces.filter((name) => !present.has(name)) };
}

/** What takes our rules out of the nat table again. */
export function renderNatRemoval(redirect: Redirect, family: Family, listing: string): string | undefined {
  const destination = destinationText(redirect, family);
  const wanted = wantedInterfaces(redirect.interfaces) ?? [];
  const ours = readRedirects(listing, family)
    .filter((found) => found.destination === destination && wanted.includes(found.interface))
    .map(({ line }) => line);
  const jumps = rulesThatJump(listing, redirectChain);
  if (ours.length + jumps.length === 0) return undefined;
  const chain = jumps.length > 0 ? [`-F ${redirectChain}`, `-X ${redirectChain}`] : [];
  return transaction('nat', [...[...ours, ...jumps].map((line) => line.replace(/^-A /, '-D ')), ...chain]);
}

/**
 * Our chains of the filter table, whole, and the jumps to them that are missing.
 *
 * - forward: what still goes to the metadata service, of connections opened before the rule was there, or to another
 *   port. (Where the route guard stands it does not come this far.)
 * - output: the refusal of a connection while nobody listens; without it the caller's kernel asks again.
 */
export function renderFilter(redirect: Redirect, family: Family, saved: string): string {
  const address = metadataAddresses[family];
  const { kind, patterns } = redirect.interfaces;
  const reject = '-p tcp -j REJECT --reject-with tcp-reset';
  const forward =
    kind === 'only'
      ? patterns.map((pattern) => `-A ${forwardChain} -i ${patternText(pattern)} ${reject}`)
      : [
          ...patterns.map((pattern) => `-A ${forwardChain} -i ${patternText(pattern)} -j RETURN`),
          `-A ${forwardChain} ${reject}`,
        ];
  // A connection that was refused has never been assured; one that was accepted has, and may be reset.
  const refusal = `-p tcp --tcp-flags RST,ACK RST,ACK -m conntrack --ctorigdst ${address} ! --ctstatus ASSURED`;
  return transaction('filter', [
    `:${forwardChain} - [0:0]`,
    `:${outputChain} - [0:0]`,
    ...forward,
    `-A ${outputChain} ${refusal} -j DROP`,
    ...jumpsTo(saved).map((line) => line.replace(/^-A /, '-D ')),
    `-I FORWARD 1 -d ${address} -p tcp -j ${forwardChain}`,
    `-I OUTPUT 1 -p tcp --sport ${redirect.port} -j ${outputChain}`,
  ]);
}

export function renderFilterRemoval(saved: string): string | undefined {
  const chains = [forwardChain, outputChain].filter((chain) => saved.includes(`\n:${chain} `));
  if (chains.length === 0) return undefined;
  return transaction('filter', [
    ...jumpsTo(saved).map((line) => line.replace(/^-A /, '-D ')),
    ...chains.map((chain) => `-F ${chain}`),
    ...chains.map((chain) => `-X ${chain}`),
  ]);
}

/** Our part of what `iptables-save` says, without counters. */
export function ourLines(saved: string): string {
  return saved
    .split('\n')
    .filter((line) => line.includes('PODPASS-') && line.startsWith('-A '))
    .join('\n');
}

function jumpsTo(saved: string): string[] {
  return rulesThatJump(saved, forwardChain, outputChain);
}

/** Rules, each as it was added: what else a tool may say is not given back to it as one. */
function rulesThatJump(listing: string, ...chains: readonly string[]): string[] {
  return listing
    .split('\n')
    .filter((line) => line.startsWith('-A ') && chains.some((chain) => line.endsWith(` -j ${chain}`)));
}

function interfaceOption(name: string): string {
  if (name === '+') return '';
  return name.startsWith('!') ? ` ! -i ${name.slice(1)}` : ` -i ${name}`;
}

function transaction(table: string, lines: readonly string[]): string {
  return [`*${table}`, ...lines, 'COMMIT', ''].join('\n');
}
