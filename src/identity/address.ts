import { isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

/** No spelling of an IPv6 address is longer than 45 characters; a zone id may add an interface's name. */
const longest = 64;
const mappedPrefix = '::ffff:';

/**
 * The one spelling of an address under which pods are indexed and callers are looked up: dotted decimal for IPv4,
 * RFC 5952 for IPv6, IPv4-mapped IPv6 as IPv4 (which is how a dual-stack socket reports it), no zone id, no brackets.
 *
 * Forms of IPv4 that some libraries read as octal, hexadecimal or with parts left out are refused: what one reader
 * takes for another pod's address must not be an address here.
 *
 * @returns `undefined` when the text is not an address.
 */
export function canonicalAddress(text: string): string | undefined {
  // The way of nearly every request. It neither copies nor throws.
  if (isDottedQuad(text, 0)) return text;
  if (text.startsWith(mappedPrefix) && isDottedQuad(text, mappedPrefix.length)) {
    return text.slice(mappedPrefix.length);
  }
  if (text.length > longest) return undefined;
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
  const zone = bare.indexOf('%');
  const address = zone === -1 ? bare : bare.slice(0, zone);
  // node:net is stricter than ipaddr.js, which reads 010 and 0x8 in the IPv4 part of an IPv6 address.
  if (!isIPv6(address)) return undefined;
  const parsed = ipaddr.IPv6.parse(inGroups(address));
  return parsed.isIPv4MappedAddress() ? parsed.toIPv4Address().toString() : parsed.toRFC5952String();
}

/** An IPv6 address whose end may be written as IPv4, in groups only: ipaddr.js takes `::10.0.0.1` for a mapped one. */
function inGroups(address: string): string {
  if (!address.includes('.')) return address;
  const end = address.lastIndexOf(':') + 1;
  const [a = 0, b = 0, c = 0, d = 0] = address.slice(end).split('.').map(Number);
  return `${address.slice(0, end)}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}

/** Whether `text` from `start` on is four decimal numbers up to 255, without leading zeros. */
function isDottedQuad(text: string, start: number): boolean {
  const length = text.length - start;
  if (length < 7 || length > 15) return false;
  let dots = 0;
  let digits = 0;
  let value = 0;
  for (let i = start; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === dot) {
      if (digits === 0) return false;
      dots += 1;
      digits = 0;
      value = 0;
    } else {
      if (code < zero || code > nine || (digits > 0 && value === 0)) return false;
      digits += 1;
      value = value * 10 + (code - zero);
      if (value > 255) return false;
    }
  }
  return dots === 3 && digits > 0;
}

const dot = 0x2e;
const zero = 0x30;
const nine = 0x39;
