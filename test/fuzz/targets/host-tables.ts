import { PodpassError } from '../../../src/base/errors.ts';
import { defaultRouteInterfaces } from '../../../src/node/default-route-interfaces.ts';
import {
  hostInterfacesText,
  isPodInterface,
  parseHostInterfaces,
} from '../../../src/node/host-interfaces.ts';
import {
  compareNat,
  ourLines,
  readRedirects,
  renderFilter,
  renderFilterRemoval,
  renderNat,
  renderNatRemoval,
} from '../../../src/node/iptables-rules.ts';
import { readNftListing, renderNftRuleset } from '../../../src/node/nft-ruleset.ts';
import { countPortListeners } from '../../../src/node/port-listeners.ts';
import type { Redirect } from '../../../src/node/redirect.ts';
import { textOf } from '../engine/text.ts';
import { type FuzzTarget, holds } from '../fuzz-target.ts';

const redirects: readonly Redirect[] = ['cali+', '!eth0', '!eth0,!eth1'].map((list) => ({
  interfaces: parseHostInterfaces(list.split(',')),
  hosts: { v4: '10.0.0.1', v6: 'fd00::1' },
  port: 8181,
}));

export const target: FuzzTarget = {
  name: 'host-tables',
  about:
    'what the kernel, iptables and nft say, and lists of interfaces: nothing thrown, and a rule is read as it was written',
  maxBytes: 2_000,
  seeds: [
    '-P PREROUTING ACCEPT\n-A PREROUTING -d 169.254.169.254/32 -i cali+ -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.1:8181',
    '-A PREROUTING -d 169.254.169.254/32 ! -i eth0 -p tcp -m tcp --dport 80 -m comment --comment "kube2iam \\" rule" -j DNAT --to-destination 10.0.0.2:8181',
    '-A PREROUTING -p tcp -d 169.254.169.254 --dport 80 -j PODPASS-REDIRECT',
    '*filter\n:PODPASS-FORWARD - [0:0]\n:PODPASS-OUTPUT - [0:0]\n-A FORWARD -d 169.254.169.254/32 -p tcp -j PODPASS-FORWARD\nCOMMIT',
    'table inet podpass {\n\tset strangers {\n\t\ttype ifname\n\t\telements = { "eth1" timeout 1h expires 59m, "veth\\"x" }\n\t}\n}',
    'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\neth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000',
    '00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe80 00000400 00000001 00000000 00000003 eth0',
    '  0: 00000000:1FF5 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0',
    'cali+,eni+',
    '!eth0,!eth1',
  ],
  dictionary: [
    '-A PREROUTING',
    ' ! ',
    '-i ',
    '--dport 80',
    '--to-destination ',
    '-j DNAT',
    '/32',
    '"',
    '\\"',
    'elements = {',
    '+',
    '!',
    ',',
    '\n',
  ],
  open: () => ({
    async run(input) {
      const text = textOf(input);
      checkIptables(text);
      checkInterfaces(text);
      const { strangers, rules } = readNftListing(text);
      holds(
        strangers.every((name) => name.length >= 1 && name.length <= 15),
        'an interface has no such name',
      );
      holds(!/\s\s|\n/.test(rules), 'the rules are not on one line');
      const out = defaultRouteInterfaces(() => text);
      holds(!out.includes('lo') && out.every((name) => name !== ''), `the way out is ${out.join()}`);
      const listeners = await countPortListeners(8181, async () => text);
      holds(listeners <= 2 * text.split('\n').length, 'more listeners than lines');
    },
  }),
};

function checkIptables(listing: string): void {
  for (const family of ['v4', 'v6'] as const) {
    for (const found of readRedirects(listing, family)) {
      // It is given back to iptables word for word, as one line of a transaction.
      holds(!found.line.includes('\n') && listing.includes(found.line), 'a rule was made up');
      holds(
        found.line.includes('--to-destination') && found.destination !== '',
        'no rule that sends somewhere',
      );
    }
    for (const redirect of redirects) {
      const rendered = renderNat(redirect, family, listing);
      const { wrong, missing } = compareNat(redirect, family, listing);
      holds(
        (rendered === undefined) === (wrong.length + missing.length === 0 && redirect !== redirects[2]) ||
          redirect === redirects[2],
        'what is wrong is not what is put right',
      );
      for (const step of [
        rendered,
        renderNatRemoval(redirect, family, listing),
        renderFilter(redirect, family, listing),
        renderFilterRemoval(listing),
      ]) {
        if (step !== undefined) checkTransaction(step);
      }
    }
  }
  holds(
    ourLines(listing)
      .split('\n')
      .every((line) => line === '' || line.includes('PODPASS-')),
    'a line is not ours',
  );
}

/** One table, chains and rules, and an end: whatever was listed, nothing but deletions of it is written. */
function checkTransaction(step: string): void {
  const lines = step.split('\n');
  holds(
    /^\*(?:nat|filter)$/.test(lines[0] ?? '') && lines.at(-2) === 'COMMIT' && lines.at(-1) === '',
    'no whole transaction',
  );
  for (const line of lines.slice(1, -2))
    holds(/^(?::PODPASS-|-[ADFIX] )/.test(line), `writes ${JSON.stringify(line)}`);
}

function checkInterfaces(text: string): void {
  let parsed: ReturnType<typeof parseHostInterfaces>;
  try {
    parsed = parseHostInterfaces(text.split(','));
  } catch (thrown) {
    if (thrown instanceof PodpassError) return;
    throw thrown;
  }
  const again = parseHostInterfaces(hostInterfacesText(parsed).split(','));
  for (const name of ['lo', 'eth0', 'cali1', 'x']) {
    holds(
      isPodInterface(parsed, name) === isPodInterface(again, name),
      `${text} is written as ${hostInterfacesText(parsed)}`,
    );
  }
  holds(!isPodInterface(parsed, 'lo'), 'the loopback interface is a pod');
  const ruleset = renderNftRuleset({ interfaces: parsed, hosts: { v4: '10.0.0.1' }, port: 8181 });
  holds(ruleset.split('"').length % 2 === 1 && !/[\\`$]/.test(ruleset), 'the ruleset has an open quotation');
}
