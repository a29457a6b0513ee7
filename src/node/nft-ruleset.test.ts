import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseHostInterfaces } from './host-interfaces.ts';
import { readNftListing, renderNftHold, renderNftRuleset } from './nft-ruleset.ts';
import type { Redirect } from './redirect.ts';

function ruleset(
  interfaces: readonly string[],
  hosts: Redirect['hosts'] = { v4: '10.0.0.1', v6: 'fd00::1' },
) {
  return renderNftRuleset({ interfaces: parseHostInterfaces(interfaces), hosts, port: 8181 });
}

describe('renderNftRuleset', () => {
  it('replaces its own table and names no other', () => {
    const text = ruleset(['cali+']);
    assert.match(text, /^add table inet podpass\ndelete table inet podpass\ntable inet podpass \{\n/);
    assert.deepEqual(
      [...text.matchAll(/table (\S+ \S+)/g)].map(([, name]) => name),
      Array(3).fill('inet podpass'),
    );
  });

  it('redirects each of several interfaces, in both families', () => {
    const text = ruleset(['cali+', 'weave']);
    for (const name of ['"cali*"', '"weave"']) {
      assert.ok(
        text.includes(
          `iifname ${name} ip daddr 169.254.169.254 tcp dport 80 counter dnat ip to 10.0.0.1:8181\n`,
        ),
      );
      assert.ok(
        text.includes(
          `iifname ${name} ip6 daddr fd00:ec2::254 tcp dport 80 counter dnat ip6 to [fd00::1]:8181\n`,
        ),
      );
    }
  });

  it('redirects all but what is excluded, which always includes loopback', () => {
    assert.ok(
      ruleset(['!eth0', '!ens+']).includes('iifname != "lo" iifname != "eth0" iifname != "ens*" ip daddr'),
    );
  });

  it('only refuses a family in which the agent has no address', () => {
    const text = ruleset(['cali+'], { v4: '10.0.0.1' });
    assert.doesNotMatch(text, /dnat ip6/);
    assert.match(text, /ip6 daddr fd00:ec2::254 meta l4proto tcp goto refuse/);
  });
});

describe('renderNftHold', () => {
  it('drops what opens a connection to the agent that was meant for the metadata service, and nothing else', () => {
    const text = renderNftHold({ interfaces: parseHostInterfaces(['cali+']), hosts: {}, port: 8181 });
    const drops = text.split('\n').filter((line) => line.endsWith('drop'));
    assert.equal(drops.length, 2);
    for (const line of drops) {
      assert.match(
        line,
        /^ +tcp dport 8181 ct original ip6? daddr \S+ tcp flags & \(syn \| ack\) == syn counter drop$/,
      );
    }
  });
});

describe('readNftListing', () => {
  const rules = 'table inet podpass {\n\tset strangers {\n\t\ttype ifname\n%s\t}\n}\n';

  it('tells apart what packets change from what somebody changed', () => {
    const quiet = readNftListing(rules.replace('%s', ''));
    const noted = readNftListing(
      rules.replace(
        '%s',
        '\t\telements = { "eni1" expires 59m,\n\t\t\t     "eni2" timeout 1h expires 58m }\n',
      ),
    );
    assert.deepEqual(quiet.strangers, []);
    assert.deepEqual(noted.strangers, ['eni1', 'eni2']);
    assert.equal(noted.rules, quiet.rules);
    assert.notEqual(readNftListing(rules.replace('ifname', 'mark')).rules, quiet.rules);
  });
});
