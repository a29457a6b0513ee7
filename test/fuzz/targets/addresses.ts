import { isIP, isIPv4 } from 'node:net';
import { formatDuration, parseDuration } from '../../../src/base/duration.ts';
import { PodpassError } from '../../../src/base/errors.ts';
import { parseListenAddress } from '../../../src/commands/listen-address.ts';
import { canonicalAddress } from '../../../src/identity/address.ts';
import { textOf } from '../engine/text.ts';
import { type FuzzTarget, holds } from '../fuzz-target.ts';

export const target: FuzzTarget = {
  name: 'addresses',
  about: 'addresses, host:port and durations: one spelling for each address, by the value of its bits',
  maxBytes: 100,
  seeds: [
    '10.0.0.1',
    '::ffff:10.0.0.1',
    '[fd00::1]',
    'fe80::1%eth0',
    '2001:DB8:0:0:1:0:0:1',
    '::',
    '010.0.0.1',
    '::1.2.3.4',
    ':9620',
    '[::1]:443',
    '1h30m',
    '1.5s',
    '-10ms',
  ],
  dictionary: ['::', '0x', 'ffff', '%', '255', '256', '0', ':0:', 'µs', 'h', '.'],
  open: () => ({
    run(input) {
      const text = textOf(input);
      checkAddress(text);
      const millis = parseDuration(text);
      if (millis !== undefined) {
        holds(!Number.isNaN(millis), 'a duration is no number');
        if (Number.isFinite(millis) && Math.abs(millis) < 1e12) {
          const again = parseDuration(formatDuration(millis)) ?? Number.NaN;
          holds(
            Math.abs(again - millis) <= Math.max(0.5, Math.abs(millis) * 0.005),
            `${text} is written as ${formatDuration(millis)}`,
          );
        }
      }
      try {
        const { host, port } = parseListenAddress('flag', text);
        holds(
          Number.isInteger(port) && port >= 0 && port <= 65_535 && host !== '',
          `listens on ${host} ${port}`,
        );
      } catch (thrown) {
        if (!(thrown instanceof PodpassError)) throw thrown;
      }
    },
  }),
};

function checkAddress(text: string): void {
  const found = canonicalAddress(text);
  const bare = text.replace(/^\[(.*)\]$/, '$1').replace(/%.*$/s, '');
  if (found === undefined) {
    holds(isIP(text) === 0 || text.length > 64, `${text} is an address, and none here`);
    return;
  }
  holds(isIP(found) !== 0, `${JSON.stringify(text)} is taken for ${found}`);
  holds(canonicalAddress(found) === found, `${found} has another spelling`);
  holds(isIP(bare) !== 0, `${JSON.stringify(text)} is no address to Node`);
  holds(bitsOf(bare) === bitsOf(found), `${text} is taken for ${found}`);
}

/** The 128 bits of an address, IPv4 as mapped IPv6. */
function bitsOf(address: string): bigint {
  if (isIPv4(address)) return (0xffffn << 32n) | quad(address);
  const tail = /[^:]*$/.exec(address)?.[0] ?? '';
  const plain = tail.includes('.')
    ? `${address.slice(0, -tail.length)}${(quad(tail) >> 16n).toString(16)}:${(quad(tail) & 0xffffn).toString(16)}`
    : address;
  const [head = '', rest] = plain.split('::');
  const groups = (part: string) => (part === '' ? [] : part.split(':'));
  const [before, after] = [groups(head), groups(rest ?? '')];
  const zeros = rest === undefined ? [] : Array.from({ length: 8 - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after].reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n);
}

function quad(address: string): bigint {
  return address.split('.').reduce((bits, part) => (bits << 8n) | BigInt(part), 0n);
}
