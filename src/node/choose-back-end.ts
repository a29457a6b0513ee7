import { PodpassError } from '../base/errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { FirewallBackEnd } from './back-end.ts';
import { findIptables, type IptablesFound } from './find-iptables.ts';
import type { HostView } from './host-view.ts';
import { createIptables } from './iptables.ts';
import { createNftables, removeNftTable } from './nftables.ts';
import { destinationText, type Redirect } from './redirect.ts';
import type { RunTool } from './run-tool.ts';

export type FirewallKind = 'auto' | 'nftables' | 'iptables';

export interface ChooseOptions {
  readonly wanted: FirewallKind;
  readonly redirect: Redirect;
  readonly run: RunTool;
  readonly host: HostView;
  readonly logger: Logger;
}

/**
 * Installs the rule with the first tool that can. `auto` takes nftables, but stays with iptables where kiam left its
 * rule, so that there is one rule and kiam's agent finds it again on the way back.
 *
 * @throws PodpassError ERR_FIREWALL when none can
 */
export async function chooseBackEnd(options: ChooseOptions): Promise<FirewallBackEnd> {
  const { wanted, redirect, run, host, logger } = options;
  const found = await findIptables(run, host);
  const nftables = createNftables(redirect, run);
  const iptables = createIptables({ redirect, run, hasIPv6: host.hasIPv6(), variant: found?.variant ?? '' });
  const candidates = order();

  const failures: string[] = [];
  for (const backEnd of candidates) {
    const outcome = await backEnd.install();
    switch (outcome.kind) {
      case 'installed':
        for (const note of outcome.notes) logger.warn(note);
        // The table of an earlier start would win over a rule of iptables.
        if (backEnd === iptables) await removeNftTable(run);
        else warnOfOthers(found);
        if (failures.length > 0)
          logger.warn({ failures: failures.join('; ') }, `using ${backEnd.name} instead`);
        return backEnd;
      case 'absent':
        failures.push(`${backEnd.name}: not on this machine`);
        break;
      case 'failed':
        failures.push(`${backEnd.name}: ${outcome.message}`);
    }
  }
  throw new PodpassError(
    'ERR_FIREWALL',
    `the rule that sends metadata requests to the agent cannot be installed (${failures.join('; ')}). ${advice()}`,
  );

  function order(): readonly FirewallBackEnd[] {
    switch (wanted) {
      case 'nftables':
        return [nftables];
      case 'iptables':
        return [iptables];
      case 'auto':
        return found && found.redirects.length > 0 ? [iptables, nftables] : [nftables, iptables];
    }
  }

  function warnOfOthers(others: IptablesFound | undefined): void {
    const destination = destinationText(redirect, 'v4');
    for (const { line } of others?.redirects.filter((rule) => rule.destination !== destination) ?? []) {
      logger.warn(
        { rule: line },
        'a rule of iptables sends metadata requests elsewhere. It has no effect on the interfaces named here, because our table comes first; remove it.',
      );
    }
  }

  function advice(): string {
    if (!host.mayAdministerNetwork()) {
      return 'This process may not: give the container the capability NET_ADMIN and run it as root, or leave out --iptables where another tool makes the rule.';
    }
    return 'Install nftables, or iptables, where the agent runs (its image has both), on a kernel that has them; or leave out --iptables where another tool makes the rule.';
  }
}
