import type { CheckOutcome, FirewallBackEnd, InstallOutcome, RemoveOutcome } from './back-end.ts';
import {
  compareNat,
  ourLines,
  redirectChain,
  renderFilter,
  renderFilterRemoval,
  renderNat,
  renderNatRemoval,
} from './iptables-rules.ts';
import { type Family, families } from './metadata-addresses.ts';
import type { Redirect } from './redirect.ts';
import type { RunTool, ToolResult } from './run-tool.ts';

export interface IptablesOptions {
  readonly redirect: Redirect;
  readonly run: RunTool;
  readonly hasIPv6: boolean;
  /** Of the names of the tools: `-nft`, `-legacy`, or nothing for the machine's default. */
  readonly variant: string;
}

const prefixes = { v4: 'iptables', v6: 'ip6tables' } as const;

/** The lock of the tables may be held by kube-proxy for a while. */
const lockSeconds = '5';

/**
 * The rule in iptables, as kiam makes it, so that kiam's agents and ours recognise each other's; and chains of our own
 * for the rest. Each table is changed in one transaction.
 */
export function createIptables({ redirect, run, hasIPv6, variant }: IptablesOptions): FirewallBackEnd {
  const kept = families.filter((family) => family === 'v4' || hasIPv6);
  const installedChains = new Map<Family, string>();
  const tool = (family: Family, suffix = '') => `${prefixes[family]}${variant}${suffix}`;
  const listNat = (family: Family, chain = 'PREROUTING') =>
    run(tool(family), ['-w', lockSeconds, '-t', 'nat', '-S', chain]);
  const save = (family: Family) => run(tool(family, '-save'), ['-t', 'filter']);
  const restore = (family: Family, text: string | undefined): Promise<ToolResult> =>
    text === undefined
      ? Promise.resolve({ kind: 'done', stdout: '' })
      : run(tool(family, '-restore'), ['--noflush', '-w', lockSeconds], text);

  async function installFamily(family: Family): Promise<InstallOutcome> {
    const saved = await save(family);
    if (saved.kind !== 'done') return saved;
    // What cannot be redirected yet is refused.
    const filter = await restore(family, renderFilter(redirect, family, saved.stdout));
    if (filter.kind !== 'done') return filter;
    const listing = await listNat(family);
    if (listing.kind !== 'done') return listing;
    const { wrong } = compareNat(redirect, family, listing.stdout);
    const nat = await restore(family, renderNat(redirect, family, listing.stdout));
    if (nat.kind !== 'done') return nat;
    const chains = await readChains(family);
    if (chains.kind !== 'done') return chains;
    installedChains.set(family, chains.stdout);
    return {
      kind: 'installed',
      notes: wrong.map((line) => `replaced a rule that sent metadata requests elsewhere: ${line}`),
    };
  }

  async function readChains(family: Family): Promise<ToolResult> {
    const saved = await save(family);
    if (saved.kind !== 'done') return saved;
    // There is no such chain unless several interfaces are excluded.
    const chain = await listNat(family, redirectChain);
    const lines = chain.kind === 'done' ? chain.stdout : '';
    return { kind: 'done', stdout: `${ourLines(saved.stdout)}\n${lines}` };
  }

  async function damageOf(family: Family, thorough: boolean): Promise<string | undefined> {
    const listing = await listNat(family);
    if (listing.kind !== 'done') return reason(listing);
    const { wrong, missing } = compareNat(redirect, family, listing.stdout);
    if (missing.length > 0) return `the rule is gone from ${tool(family)}`;
    if (wrong.length > 0) return `a rule in ${tool(family)} sends metadata requests elsewhere`;
    if (!thorough) return undefined;
    const chains = await readChains(family);
    if (chains.kind !== 'done') return reason(chains);
    return chains.stdout === installedChains.get(family)
      ? undefined
      : `the chains PODPASS-… of ${tool(family)} have changed`;
  }

  return {
    name: `iptables${variant}`,

    async install() {
      const notes: string[] = [];
      for (const family of kept) {
        const outcome = await installFamily(family);
        if (outcome.kind === 'installed') {
          notes.push(...outcome.notes);
        } else if (family === 'v4' || redirect.hosts.v6 !== undefined) {
          return outcome;
        } else {
          notes.push(`IPv6 is not covered: ${reason(outcome)}`);
        }
      }
      return { kind: 'installed', notes };
    },

    async check(thorough): Promise<CheckOutcome> {
      for (const family of installedChains.keys()) {
        const message = await damageOf(family, thorough);
        if (message !== undefined) return { kind: 'damaged', message };
      }
      return { kind: 'intact', strangers: [] };
    },

    async remove(): Promise<RemoveOutcome> {
      for (const family of installedChains.keys()) {
        const listing = await listNat(family);
        if (listing.kind !== 'done') return { kind: 'failed', message: reason(listing) };
        const saved = await save(family);
        if (saved.kind !== 'done') return { kind: 'failed', message: reason(saved) };
        const steps = [renderNatRemoval(redirect, family, listing.stdout), renderFilterRemoval(saved.stdout)];
        for (const step of steps) {
          const result = await restore(family, step);
          if (result.kind !== 'done') return { kind: 'failed', message: reason(result) };
        }
      }
      return { kind: 'removed' };
    },
  };
}

function reason(
  result: { readonly kind: 'absent' } | { readonly kind: 'failed'; readonly message: string },
): string {
  return result.kind === 'absent' ? 'there is no such iptables on this machine' : result.message;
}
