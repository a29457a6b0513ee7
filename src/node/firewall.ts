import { type Clock, sleep } from '../base/clock.ts';
import type { Health } from '../telemetry/health.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { FirewallBackEnd } from './back-end.ts';
import { chooseBackEnd, type FirewallKind } from './choose-back-end.ts';
import { findOtherAgent } from './find-other-agent.ts';
import { hostInterfacesText } from './host-interfaces.ts';
import type { HostView } from './host-view.ts';
import { createInterfaceWatch } from './interface-watch.ts';
import { hasNftTable } from './nftables.ts';
import type { Redirect } from './redirect.ts';
import { createRouteGuard, type GuardOutcome } from './route-guard.ts';
import type { RunTool } from './run-tool.ts';

export interface FirewallOptions {
  readonly redirect: Redirect;
  readonly kind: FirewallKind;
  readonly routeGuard: boolean;
  readonly checkIntervalMillis: number;
  readonly run: RunTool;
  readonly host: HostView;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly health: Health;
}

export interface Firewall {
  /**
   * Installs the rule if it has been left to another agent until now: as soon as this agent can answer, or the other one
   * no longer does. Does nothing where the rule is installed.
   *
   * @throws PodpassError ERR_FIREWALL
   */
  readonly takeOver: (canAnswer: () => boolean, signal: AbortSignal) => Promise<void>;
  /** Whether pods would be answered by another agent if the rule were taken away. */
  readonly hasOtherAgent: () => Promise<boolean>;
  /** Looks at each interval whether the rule is as it was installed, and installs it again if not. */
  readonly watch: (signal: AbortSignal) => Promise<void>;
  /**
   * Makes new callers wait in their own kernels, for an agent that is about to stop listening. Resolves to how to end
   * that. Does nothing where the rule is in iptables.
   */
  readonly holdNewcomers: () => Promise<() => Promise<void>>;
  /** Takes away all that was installed. Says in the log how it went; never rejects. */
  readonly remove: () => Promise<void>;
}

const takeOverPollMillis = 50;
/** Each so many of these it is looked whether the other agent is still there, which needs a tool. */
const lookForOtherEvery = 10;
/** A tool can fail once. To take pods from an agent that answers them is worse than to let them wait half a second. */
const missedLooks = 2;

/** Each so many intervals everything is looked at; in between, what pods would notice first. */
const thoroughEvery = 6;

/**
 * Installs the rule that sends metadata requests of pods to the agent.
 *
 * Beside another agent whose rule works, kiam's, only the route guard is installed: pods of a working agent are not to
 * be sent to one that does not know them yet. The rule follows with `takeOver`. Whatever becomes of the other agent and
 * of its rule meanwhile, the guard lets nothing out; without a guard nothing is left to others.
 *
 * @throws PodpassError ERR_FIREWALL when it cannot be installed: an agent without its rule leaves the node's own role
 *   to every pod
 */
export async function installFirewall(options: FirewallOptions): Promise<Firewall> {
  const { redirect, run, host, clock, logger, metrics } = options;
  logger.info(
    {
      interfaces: hostInterfacesText(redirect.interfaces),
      hosts: Object.values(redirect.hosts),
      port: redirect.port,
    },
    'configuring iptables',
  );
  const routeGuard = createRouteGuard(run, host.hasIPv6());
  const guard = options.routeGuard ? routeGuard : undefined;
  const guardWarnings = onceEach((text) => logger.warn(text));
  // The guard first: from here on nothing leaks, whatever becomes of the rest.
  // What an earlier start left would go on as if the flag said nothing.
  const guarded = guard ? await guard.ensure() : await routeGuard.remove();
  if (guard) reportGuard(guarded, 'start');
  const interfaceWatch = createInterfaceWatch({ interfaces: redirect.interfaces, host, clock, logger });
  interfaceWatch.look([]);

  let installed: FirewallBackEnd | undefined;
  let problem: string | undefined;
  const otherAgent = guard && guarded.kind === 'guarded' ? await agentToRelieve() : undefined;
  if (otherAgent === undefined) {
    await begin();
  } else {
    logger.info(
      { agent: otherAgent },
      'another agent answers the pods of this node; the rule is installed once this one can',
    );
    settle(`the rule is not installed yet: the agent at ${otherAgent} answers until this one can`);
  }
  options.health.add('ready', 'firewall', () => ({
    ok: problem === undefined,
    message: problem ?? `${installed?.name}, ${hostInterfacesText(redirect.interfaces)}`,
  }));

  /** Not where our table is there already: then that is what pods go by, whatever iptables says. */
  async function agentToRelieve(): Promise<string | undefined> {
    const found = await findOtherAgent(options);
    return found !== undefined && (await hasNftTable(run)) ? undefined : found;
  }

  async function begin(): Promise<void> {
    installed = await chooseBackEnd({ ...options, wanted: options.kind });
    settle(undefined);
    logger.info({ firewall: installed.name, 'route.guard': guard !== undefined }, 'the rule is installed');
  }

  function settle(now: string | undefined): void {
    problem = now;
    metrics.firewallOk.set(now === undefined ? 1 : 0);
  }

  async function look(backEnd: FirewallBackEnd, thorough: boolean): Promise<void> {
    const found = await backEnd.check(thorough);
    if (found.kind === 'intact') {
      settle(undefined);
      interfaceWatch.look(found.strangers);
    } else {
      await repair(backEnd, found.message);
    }
    if (guard && thorough) reportGuard(await guard.ensure(), 'later');
  }

  async function repair(backEnd: FirewallBackEnd, damage: string): Promise<void> {
    const outcome = await backEnd.install();
    if (outcome.kind === 'installed') {
      metrics.firewallRepairs.inc({ part: 'rule' });
      logger.warn({ damage }, 'the rule was not as it should be; it is installed again');
      settle(undefined);
      return;
    }
    const reason = outcome.kind === 'absent' ? 'the tool is gone' : outcome.message;
    if (problem !== reason)
      logger.error({ damage, reason }, 'the rule is damaged and cannot be installed again');
    settle(reason);
  }

  function reportGuard(outcome: GuardOutcome, when: 'start' | 'later'): void {
    const without =
      'Pods reach the metadata service of the node whenever the rules of the firewall are gone. --no-route-guard ends this warning.';
    switch (outcome.kind) {
      case 'guarded':
        if (!outcome.repaired || when === 'start') return;
        metrics.firewallRepairs.inc({ part: 'route-guard' });
        logger.warn('routing rules of the guard were missing; they are there again');
        return;
      case 'absent':
        guardWarnings(
          `the route guard cannot be set up: there is no ip (iproute2) on this machine. ${without}`,
        );
        return;
      case 'failed':
        guardWarnings(`the route guard cannot be set up: ${outcome.message}. ${without}`);
    }
  }

  return {
    async takeOver(canAnswer, signal) {
      let missed = 0;
      for (let round = 1; installed === undefined && !signal.aborted; round++) {
        if (round % lookForOtherEvery === 0)
          missed = (await findOtherAgent(options)) === undefined ? missed + 1 : 0;
        const isAlone = missed >= missedLooks;
        if (isAlone) logger.warn({ agent: otherAgent }, 'the other agent does not answer any more');
        if (isAlone || canAnswer()) await begin();
        else await sleep(clock, takeOverPollMillis, signal).catch(() => {});
      }
    },

    hasOtherAgent: async () => (await findOtherAgent(options)) !== undefined,

    async watch(signal) {
      for (let round = 1; !signal.aborted; round++) {
        await sleep(clock, options.checkIntervalMillis, signal).catch(() => {});
        if (!signal.aborted && installed) await look(installed, round % thoroughEvery === 0);
      }
    },

    async holdNewcomers() {
      await installed?.holdNewcomers?.();
      return async () => {
        await installed?.releaseNewcomers?.();
      };
    },

    async remove() {
      logger.info('undoing iptables changes');
      const outcome = (await installed?.remove()) ?? { kind: 'removed' };
      const unguarded = await guard?.remove();
      if (outcome.kind === 'failed')
        logger.error({ reason: outcome.message }, 'the rule could not be removed');
      else {
        installed = undefined;
        logger.info('iptables rule was successfully removed');
      }
      if (unguarded?.kind === 'failed') {
        logger.error({ reason: unguarded.message }, 'the routing rules of the guard could not be removed');
      }
    },
  };
}

/** Says each text once. */
function onceEach(say: (text: string) => void): (text: string) => void {
  const said = new Set<string>();
  return (text) => {
    if (said.has(text)) return;
    said.add(text);
    say(text);
  };
}
