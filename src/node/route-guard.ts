import { type Family, families, metadataAddresses } from './metadata-addresses.ts';
import type { RunTool } from './run-tool.ts';

/**
 * Routing rules that let nothing through to the metadata service but what this host makes itself. They hold while
 * somebody has flushed every table of the firewall, and need nothing of it: a redirected packet has another destination
 * by the time it is routed.
 *
 * They stand before the rules of every CNI (AWS VPC CNI begins at 10, Cilium at 9), after those of local addresses. The
 * host's own packets jump over the second one and are routed by whatever rules follow, as if nothing were here.
 */
function guardRules(family: Family): readonly { readonly args: string; readonly shown: string }[] {
  const to = metadataAddresses[family];
  // In the order in which they are added: the host's way must be there before the other one is closed.
  return [
    { args: 'pref 6 nop', shown: '6: from all nop' },
    { args: `pref 4 iif lo to ${to} goto 6`, shown: `4: from all to ${to} iif lo goto 6` },
    { args: `pref 5 to ${to} prohibit`, shown: `5: from all to ${to} prohibit` },
  ];
}

export type GuardOutcome =
  | { readonly kind: 'guarded'; readonly repaired: boolean }
  | { readonly kind: 'absent' }
  | { readonly kind: 'failed'; readonly message: string };

export interface RouteGuard {
  /** Adds what is missing. */
  readonly ensure: () => Promise<GuardOutcome>;
  readonly remove: () => Promise<GuardOutcome>;
}

export function createRouteGuard(run: RunTool, hasIPv6: boolean): RouteGuard {
  const kept = families.filter((family) => family === 'v4' || hasIPv6);

  async function change(
    pick: (family: Family, shown: readonly string[]) => readonly string[],
  ): Promise<GuardOutcome> {
    let repaired = false;
    for (const family of kept) {
      const option = family === 'v4' ? '-4' : '-6';
      const listing = await run('ip', [option, 'rule', 'show']);
      if (listing.kind !== 'done') return listing;
      const lines = pick(family, readRules(listing.stdout));
      if (lines.length === 0) continue;
      const result = await run('ip', [option, '-batch', '-'], `${lines.join('\n')}\n`);
      if (result.kind !== 'done') return result;
      repaired = true;
    }
    return { kind: 'guarded', repaired };
  }

  return {
    ensure: () =>
      change((family, shown) =>
        guardRules(family)
          .filter((rule) => !shown.includes(rule.shown))
          .map(({ args }) => `rule add ${args}`),
      ),
    remove: () =>
      change((family, shown) =>
        guardRules(family)
          .toReversed()
          .filter((rule) => shown.includes(rule.shown))
          .map(({ args }) => `rule del ${args}`),
      ),
  };
}

/** `ip rule show`, one line for each rule, without what differs between releases in white space. */
function readRules(text: string): string[] {
  return text.split('\n').map((line) => line.replaceAll(/\s+/g, ' ').trim());
}
