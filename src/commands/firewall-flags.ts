import { flag, grouped } from './flags.ts';

/** Flags of the rule that sends metadata requests to the agent. The first three are kiam's. */
export const firewallFlags = grouped('Firewall rule', {
  iptables: flag.boolean({
    name: 'iptables',
    help: 'Install the rule that sends metadata requests of pods to this agent, and keep it. Needs NET_ADMIN.',
  }),
  iptablesRemove: flag.boolean({
    name: 'iptables-remove',
    help: "Remove the rule at exit. Pods then reach the node's own role until the next agent starts.",
  }),
  hostInterface: flag.list({
    name: 'host-interface',
    placeholder: 'NAME',
    default: ['docker0'],
    help: 'Interfaces through which packets of pods arrive: cali+, !eth0 (all but eth0), or a list.',
  }),
  firewall: flag.choice({
    name: 'firewall',
    choices: ['auto', 'nftables', 'iptables'],
    default: 'auto',
    help: "What holds the rule. auto takes nftables, unless it is not there or kiam's rule is in iptables.",
  }),
  firewallCheckInterval: flag.duration({
    name: 'firewall-check-interval',
    default: 20_000,
    min: 1_000,
    help: 'How often the rule is checked, and installed again if it is not as it should be.',
  }),
  routeGuard: flag.boolean({
    name: 'route-guard',
    default: true,
    help: 'With --iptables: routing rules that let only the node itself reach the metadata service, whatever becomes of the rule.',
  }),
});
