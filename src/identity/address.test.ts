import assert from 'node:assert/strict';
import { isIPv4, isIPv6 } from 'node:net';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { canonicalAddress } from './address.ts';

describe('canonicalAddress', () => {
  const table = [
    ['10.0.0.1', '10.0.0.1'],
    ['0.0.0.0', '0.0.0.0'],
    ['255.255.255.255', '255.255.255.255'],
    ['127.0.0.2', '127.0.0.2'],
    // IPv4 as a dual-stack socket reports it.
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['::FFFF:10.0.0.1', '10.0.0.1'],
    ['::ffff:a00:1', '10.0.0.1'],
    ['0:0:0:0:0:ffff:10.0.0.1', '10.0.0.1'],
    ['::ffff:10.0.0.1%eth0', '10.0.0.1'],
    ['[::ffff:10.0.0.1]', '10.0.0.1'],
    // IPv6 in its many spellings.
    ['fd00::1', 'fd00::1'],
    ['FD00::1', 'fd00::1'],
    ['fd00:0:0:0:0:0:0:1', 'fd00::1'],
    ['fd00:0000:0000::0001', 'fd00::1'],
    ['[fd00::1]', 'fd00::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['[fe80::1%25]', 'fe80::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['::', '::'],
    ['::1', '::1'],
    // Not mapped but embedded: another address.
    ['64:ff9b::10.0.0.1', '64:ff9b::a00:1'],
    ['::10.0.0.1', '::a00:1'],
  ] as const;
  for (const [text, canonical] of table) {
    it(`takes ${text} for ${canonical}`, () => assert.equal(canonicalAddress(text), canonical));
  }

  const refused = [
    '', ' ', 'localhost', '10.0.0', '10.0.0.', '.10.0.0.1', '10..0.1', '10.0.0.1.', '10.0.0.1.1', '10.0.0.256', '10.0.0.1000',
    // Forms that some readers take for an address and others for a different one.
    '010.0.0.1', '10.0.0.01', '00.0.0.0', '0x0a.0.0.1', '10.1', '167772161', '0xa000001', '10.0.0.0x1',
    '::ffff:010.0.0.1', '::ffff:0x0a.0.0.1', '::ffff:10.0.1', '::ffff:10.0.0.256', '::ffff:10.0.0.01',
    // More than an address.
    '10.0.0.1:80', '10.0.0.1/32', 'fd00::1/64', '[fd00::1]:80', '10.0.0.1%eth0', '[10.0.0.1]', ' 10.0.0.1', '10.0.0.1\n', '10.0.0.1, 10.0.0.2',
    '[fd00::1', 'fd00::1]', '[[fd00::1]]', '%eth0', '[]',
    '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '1::2::3', 'fd00::12345', 'g::1', ':::', '1:2:3:4:5:6:7:',
    '１０.0.0.1', '-1.0.0.1', '+1.0.0.1', '1e1.0.0.1',
  ]; // biome-ignore format: a table
  for (const text of refused) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.equal(canonicalAddress(text), undefined));
  }

  it('hands back the same text for what needs no change', () => {
    fc.assert(fc.property(fc.ipV4(), (address) => assert.equal(canonicalAddress(address), address)));
  });

  it('gives every spelling of one IPv6 address the same one', () => {
    const group = fc.integer({ min: 0, max: 0xffff });
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constant(0), group), { minLength: 8, maxLength: 8 }), (groups) => {
        const short = groups.map((value) => value.toString(16)).join(':');
        const padded = groups.map((value) => value.toString(16).padStart(4, '0')).join(':');
        const canonical = canonicalAddress(short);
        assert.ok(canonical !== undefined && (isIPv6(canonical) || isIPv4(canonical)));
        assert.equal(canonicalAddress(padded.toUpperCase()), canonical);
        assert.equal(canonicalAddress(`[${padded}%lo]`), canonical);
        assert.equal(
          canonicalAddress(new URL(`http://[${short}]`).hostname),
          canonical,
          'as WHATWG URL spells it',
        );
      }),
    );
  });

  it('maps IPv4 in IPv6 to IPv4, in either spelling', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (value) => {
        const quad = [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff).join('.');
        const groups = `${(value >>> 16).toString(16)}:${(value & 0xffff).toString(16)}`;
        assert.equal(canonicalAddress(`::ffff:${quad}`), quad);
        assert.equal(canonicalAddress(`::ffff:${groups}`), quad);
        assert.equal(canonicalAddress(`0:0:0:0:0:ffff:${quad}`), quad);
        for (const prefix of ['::', '64:ff9b::', 'fd00::', '::fffe:', '::ffff:0:', '1:2:3:4:5:6:']) {
          const other = canonicalAddress(prefix + quad);
          assert.equal(other, canonicalAddress(prefix + groups), prefix);
          assert.notEqual(other, quad, prefix);
        }
      }),
    );
  });

  it('never throws, and leaves its own results alone', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom(...'0123456789abcdefx.:%[]/'), maxLength: 50 }),
      fc.ipV6(),
      fc.ipV4Extended(),
    );
    fc.assert(
      fc.property(text, (hostile) => {
        const canonical = canonicalAddress(hostile);
        if (canonical === undefined) return;
        assert.equal(canonicalAddress(canonical), canonical);
        assert.ok(isIPv4(canonical) || isIPv6(canonical));
        assert.equal(canonical, canonical.toLowerCase());
      }),
      { numRuns: 2_000 },
    );
  });

  it('does not read long texts', () => {
    assert.equal(canonicalAddress(':'.repeat(1_000_000)), undefined);
    assert.equal(canonicalAddress(`fe80::1%${'x'.repeat(1_000_000)}`), undefined);
  });
});
