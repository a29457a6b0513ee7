import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseHostInterfaces } from './host-interfaces.ts';
import { compareNat, readRedirects, renderFilter, renderNat, renderNatRemoval } from './iptables-rules.ts';
import type { Redirect } from './redirect.ts';

const request = '-d 169.254.169.254/32 -p tcp -m tcp --dport 80';
const to = '-j DNAT --to-destination 10.0.0.1:8181';

function redirect(...interfaces: string[]): Redirect {
  return {
    interfaces: parseHostInterfaces(interfaces),
    hosts: { v4: '10.0.0.1', v6: 'fd00::1' },
    port: 8181,
  };
}

describe("kiam's rule in what iptables lists", () => {
  for (const [line, name] of [
    [`-A PREROUTING -d 169.254.169.254/32 -i cali+ -p tcp -m tcp --dport 80 ${to}`, 'cali+'],
    [`-A PREROUTING -p tcp -d 169.254.169.254 --dport 80 ${to} -i cali+ `, 'cali+'],
    [`-A PREROUTING -i cali+ ${to} -m tcp --dport 80 -p tcp -d 169.254.169.254/32`, 'cali+'],
    [`-A PREROUTING ${request} ! -i eth0 ${to}`, '!eth0'],
    [`-A PREROUTING ! -i eth0 ${request} ${to}`, '!eth0'],
    [`-A PREROUTING -i ! eth0 ${request} ${to}`, '!eth0'],
    [`-A PREROUTING ${request} ${to}`, '+'],
    [
      `-A PREROUTING --protocol tcp --destination 169.254.169.254 --destination-port 80 --in-interface cali+ --jump DNAT --to-destination 10.0.0.1:8181`,
      'cali+',
    ],
    [`-A PREROUTING ${request} -m comment --comment "kiam: \\"the\\" rule" -i cali+ ${to}`, 'cali+'],
    [`-A PREROUTING ${request} -m comment --comment "kiam\r\\\r" -i cali+ ${to}`, 'cali+'],
  ] as const) {
    it(`is seen in ${JSON.stringify(line)}`, () => {
      assert.deepEqual(
        readRedirects(`-P PREROUTING ACCEPT\n${line}\n`, 'v4').map((found) => [
          found.interface,
          found.destination,
        ]),
        [[name, '10.0.0.1:8181']],
      );
      assert.deepEqual(compareNat(redirect(name), 'v4', line), { wrong: [], missing: [] });
    });
  }

  for (const line of [
    `-A PREROUTING -d 10.96.0.1/32 -p tcp -m tcp --dport 80 ${to}`,
    `-A PREROUTING -d 169.254.169.254/32 -p udp -m udp --dport 80 ${to}`,
    `-A PREROUTING -d 169.254.169.254/32 -p tcp -m tcp --dport 8080 ${to}`,
    `-A PREROUTING ! -d 169.254.169.254/32 -p tcp -m tcp --dport 80 ${to}`,
    `-A PREROUTING -s 10.0.0.9/32 ${request} ${to}`,
    `-A PREROUTING ${request} -m mark --mark 0x1 ${to}`,
    `-A OUTPUT ${request} ${to}`,
    // iptables-restore takes nothing but blanks and tabs for an end of a word.
    `-A PREROUTING -d\r169.254.169.254/32 -p tcp -m tcp --dport 80 ${to}`,
    `-A PREROUTING -d\u00a0169.254.169.254/32 -p tcp -m tcp --dport 80 ${to}`,
    `-A PREROUTING ${request} -j REDIRECT --to-ports 8181`,
    '-A PREROUTING -m comment --comment "-d 169.254.169.254" -j KUBE-SERVICES',
    '-N KUBE-SERVICES',
    '',
    '-A',
  ]) {
    it(`is not seen in ${JSON.stringify(line)}`, () => {
      assert.deepEqual(readRedirects(line, 'v4'), []);
    });
  }
});

describe('what is done to the nat table', () => {
  it("adds kiam's rule, first in the chain", () => {
    assert.equal(
      renderNat(redirect('cali+'), 'v4', '-P PREROUTING ACCEPT\n'),
      '*nat\n-I PREROUTING 1 -p tcp -d 169.254.169.254 --dport 80 -j DNAT --to-destination 10.0.0.1:8181 -i cali+\nCOMMIT\n',
    );
  });

  it('adds one for each interface, in IPv6 too', () => {
    const text = renderNat(redirect('cali+', 'eni+'), 'v6', '') ?? '';
    assert.equal(
      text.match(
        /-I PREROUTING 1 -p tcp -d fd00:ec2::254 --dport 80 -j DNAT --to-destination \[fd00::1\]:8181/g,
      )?.length,
      2,
    );
  });

  it('does nothing where all is there', () => {
    assert.equal(renderNat(redirect('!eth0'), 'v4', `-A PREROUTING ${request} ! -i eth0 ${to}`), undefined);
  });

  it('replaces a rule to elsewhere, in the same transaction', () => {
    const stale = `-A PREROUTING -i cali+ ${request} -j DNAT --to-destination 10.0.0.9:8181`;
    const text = renderNat(redirect('cali+'), 'v4', `${stale}\n`) ?? '';
    assert.ok(text.includes(`\n${stale.replace('-A', '-D')}\n-I PREROUTING 1 `), text);
  });

  it('says with a chain that several interfaces are excluded', () => {
    const excluded = redirect('!eth0', '!eth1');
    const text = renderNat(excluded, 'v4', '') ?? '';
    assert.match(text, /:PODPASS-REDIRECT.*-i eth0 -j RETURN\n.*-i eth1 -j RETURN\n.*-j DNAT/s);
    const jump = `-A PREROUTING ${request} -j PODPASS-REDIRECT`;
    // The jump is there; what the chain says may be of another port, or gone.
    assert.doesNotMatch(renderNat(excluded, 'v4', jump) ?? '', /PREROUTING/);
    assert.match(renderNat(excluded, 'v4', jump) ?? '', /:PODPASS-REDIRECT.*10\.0\.0\.1:8181/s);
    // An earlier chain would win over the single rule that takes its place.
    assert.ok(renderNat(redirect('!eth0'), 'v4', jump)?.includes(jump.replace('-A', '-D')));
  });

  it('gives nothing back to iptables that it did not list as a rule', () => {
    const listing = `iptables: cannot -j PODPASS-REDIRECT\n-j PODPASS-FORWARD\n\n# -j PODPASS-OUTPUT\n-p tcp -A PREROUTING ${request} ${to}`;
    for (const text of [
      renderNat(redirect('cali+'), 'v4', listing),
      renderFilter(redirect('cali+'), 'v4', listing),
      renderNatRemoval(redirect('cali+'), 'v4', listing),
    ]) {
      for (const line of text?.split('\n').slice(1, -2) ?? []) assert.match(line, /^(?:-[ADFIX] |:PODPASS-)/);
      assert.doesNotMatch(text ?? '', /cannot|#/);
    }
  });

  it('removes what is ours and leaves what is not', () => {
    const ours = `-A PREROUTING -i cali+ ${request} ${to}`;
    const theirs = `-A PREROUTING -i weave ${request} ${to}`;
    assert.equal(
      renderNatRemoval(redirect('cali+'), 'v4', `${ours}\n${theirs}\n`),
      `*nat\n${ours.replace('-A', '-D')}\nCOMMIT\n`,
    );
    assert.equal(renderNatRemoval(redirect('cali+'), 'v4', theirs), undefined);
  });
});
