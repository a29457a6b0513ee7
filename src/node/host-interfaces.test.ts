import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  hostInterfacesText,
  isPodInterface,
  parseHostInterfaces,
  unmatchedPatterns,
} from './host-interfaces.ts';

const names = ['lo', 'eth0', 'eth1', 'docker0', 'cali1', 'eni2'];

describe('--host-interface', () => {
  for (const [given, matched] of [
    [['docker0'], ['docker0']],
    [['cali+'], ['cali1']],
    [
      ['cali+', 'eni+'],
      ['cali1', 'eni2'],
    ],
    [[' cali+ ', ''], ['cali1']],
    [['!eth0'], ['eth1', 'docker0', 'cali1', 'eni2']],
    [
      ['!eth+', '!docker0'],
      ['cali1', 'eni2'],
    ],
    [['+'], ['eth0', 'eth1', 'docker0', 'cali1', 'eni2']],
    [['lo'], []],
  ] as const) {
    it(`${JSON.stringify(given)} is ${matched.join(' ') || 'nothing'}`, () => {
      const interfaces = parseHostInterfaces(given);
      assert.deepEqual(
        names.filter((name) => isPodInterface(interfaces, name)),
        matched,
      );
      assert.deepEqual(parseHostInterfaces(hostInterfacesText(interfaces).split(',')), interfaces);
    });
  }

  for (const [given, said] of [
    [[], /empty/],
    [['cali+', '!eth0'], /names interfaces and excludes others/],
    [['!'], /not the name/],
    [['!+'], /every interface/],
    [['a b'], /not the name/],
    [['x";drop'], /not the name/],
    [['a\n-j ACCEPT'], /not the name/],
    [['sixteen-letters-'], /not the name/],
    [['ca+li'], /not the name/],
  ] as const) {
    it(`refuses ${JSON.stringify(given)}`, () => {
      assert.throws(() => parseHostInterfaces(given), { code: 'ERR_USAGE', message: said });
    });
  }

  it('says which names fit nothing', () => {
    const unmatched = unmatchedPatterns(parseHostInterfaces(['weave', 'cali+', 'lxc+']), names);
    assert.deepEqual(
      unmatched.map(({ stem }) => stem),
      ['weave', 'lxc'],
    );
  });
});
