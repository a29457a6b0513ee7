import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createSeededRandom } from '../base/random.ts';
import { eventMessage, eventName, eventTime } from './event-text.ts';

const dnsSubdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

describe('the name of an event', () => {
  it('is the object’s with a random end', () => {
    assert.match(eventName('web-0', createSeededRandom(1)), /^web-0\.[0-9a-f]{16}$/);
  });

  it('is another each time', () => {
    const random = createSeededRandom(1);
    assert.notEqual(eventName('web-0', random), eventName('web-0', random));
  });

  it('is one that the API takes, whatever the object is called', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 400 }), fc.nat(), (name, seed) => {
        const made = eventName(name, createSeededRandom(seed));
        assert.match(made, dnsSubdomain);
        assert.ok(made.length <= 253);
      }),
    );
  });

  for (const [name, expected] of [
    ['a'.repeat(253), `${'a'.repeat(236)}.`],
    [`${'a'.repeat(235)}-bcd`, `${'a'.repeat(235)}.`],
    ['system:node:x', 'podpass.'],
    ['', 'podpass.'],
  ] as const) {
    it(`of ${name.slice(0, 20)} (${name.length}) begins with ${expected.slice(0, 20)} (${expected.length})`, () => {
      const made = eventName(name, createSeededRandom(1));
      assert.equal(made.slice(0, -16), expected);
    });
  }
});

describe('the message of an event', () => {
  it('is one line of at most 1,024 bytes', () => {
    assert.equal(eventMessage('failed assuming role "a\nb\u0007"'), 'failed assuming role "a b "');
    assert.equal(Buffer.byteLength(eventMessage('ä'.repeat(2_000))), 1_024);
  });
});

describe('the time of an event', () => {
  it('is in whole seconds, as the API writes it', () => {
    assert.equal(eventTime(1_767_225_600_999), '2026-01-01T00:00:00Z');
  });
});
