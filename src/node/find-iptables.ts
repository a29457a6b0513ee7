import type { HostView } from './host-view.ts';
import { type MetadataRedirect, readRedirects } from './iptables-rules.ts';
import type { RunTool } from './run-tool.ts';

/** One kind of iptables on this machine, and kiam's rules in it. */
export interface IptablesFound {
  /** Of the names of the tools: `-nft`, `-legacy`, or nothing for the default. */
  readonly variant: string;
  readonly redirects: readonly MetadataRedirect[];
}

/**
 * The iptables to use: the one that has kiam's rule, or else the machine's default. The legacy one is only asked when
 * its tables are there, because asking would make them.
 *
 * @returns `undefined` when there is none
 */
export async function findIptables(run: RunTool, host: HostView): Promise<IptablesFound | undefined> {
  let fallback: IptablesFound | undefined;
  for (const variant of ['', '-nft', '-legacy']) {
    const version = await run(`iptables${variant}`, ['--version']);
    if (version.kind !== 'done') continue;
    fallback ??= { variant, redirects: [] };
    if (!version.stdout.includes('(nf_tables)') && !host.hasLegacyNat()) continue;
    const listing = await run(`iptables${variant}`, ['-w', '5', '-t', 'nat', '-S', 'PREROUTING']);
    if (listing.kind !== 'done') continue;
    const redirects = readRedirects(listing.stdout, 'v4');
    if (redirects.length > 0) return { variant, redirects };
  }
  return fallback;
}
