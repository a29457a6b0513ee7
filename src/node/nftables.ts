import type { FirewallBackEnd } from './back-end.ts';
import { holdChain, nftTable, readNftListing, renderNftHold, renderNftRuleset } from './nft-ruleset.ts';
import type { Redirect } from './redirect.ts';
import type { RunTool, ToolResult } from './run-tool.ts';

const listTable = ['-s', 'list', 'table', ...nftTable.split(' ')];

/** The rule as an nftables table of our own. No other table is touched. */
export function createNftables(redirect: Redirect, run: RunTool): FirewallBackEnd {
  const ruleset = renderNftRuleset(redirect);
  /** As the kernel tells it back: nft writes it in other words than ours. */
  let installed: string | undefined;

  return {
    name: 'nftables',

    async install() {
      const result = await run('nft', ['-f', '-'], ruleset);
      if (result.kind !== 'done') return result;
      const listing = await run('nft', listTable);
      if (listing.kind !== 'done') return listing;
      installed = readNftListing(listing.stdout).rules;
      return { kind: 'installed', notes: [] };
    },

    async check() {
      const listing = await run('nft', listTable);
      if (listing.kind !== 'done') return { kind: 'damaged', message: reason(listing) };
      const { rules, strangers } = readNftListing(listing.stdout);
      if (rules === installed) return { kind: 'intact', strangers };
      return { kind: 'damaged', message: `somebody changed the table ${nftTable}` };
    },

    remove: () => removeNftTable(run),

    // Neither failure is worth a word: without it a caller in a million is reset, and the next install removes it.
    async holdNewcomers() {
      await run('nft', ['-f', '-'], renderNftHold(redirect));
    },
    async releaseNewcomers() {
      await run('nft', ['delete', 'chain', ...nftTable.split(' '), holdChain]);
    },
  };
}

/** Whether there is a table of ours, of an earlier start or of an agent beside this one. */
export async function hasNftTable(run: RunTool): Promise<boolean> {
  return (await run('nft', listTable)).kind === 'done';
}

/** Removes the table, if it is there. */
export async function removeNftTable(run: RunTool) {
  const result = await run('nft', ['-f', '-'], `add table ${nftTable}\ndelete table ${nftTable}\n`);
  return result.kind === 'done'
    ? ({ kind: 'removed' } as const)
    : ({ kind: 'failed', message: reason(result) } as const);
}

function reason(result: Exclude<ToolResult, { kind: 'done' }>): string {
  return result.kind === 'absent' ? 'there is no nft on this machine' : result.message;
}
