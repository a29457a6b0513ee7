import type { Random } from '../../../src/base/random.ts';
import type { Comparison } from './feedback.ts';

export interface MutateOptions {
  readonly random: Random;
  readonly maxBytes: number;
  readonly words: readonly Uint8Array[];
}

/** An input that has been kept, with what was compared while it ran. */
export interface Parent {
  readonly bytes: Uint8Array;
  readonly comparisons: readonly Comparison[];
}

/** Makes one input out of another. Never longer than `maxBytes`. */
export type Mutate = (parent: Parent, other: Uint8Array) => Uint8Array;

const mostSteps = 8;

/** What breaks readers of text: ends, signs, spaces of several kinds, marks of order, half characters. */
const odd = [
  '\0',
  '\t',
  '\n',
  '\r',
  '\r\n',
  ' ',
  '"',
  "'",
  '%',
  '%00',
  '%0a',
  '%2f',
  '%252f',
  '+',
  ',',
  '-',
  '.',
  '..',
  '/',
  '//',
  '\\',
  ':',
  ';',
  '=',
  '?',
  '#',
  '@',
  '[',
  ']',
  '{',
  '}',
  '(',
  ')',
  '*',
  '|',
  '^',
  '$',
  '\u00a0',
  '\u0130',
  '\u017f',
  '\u200b',
  '\u202e',
  '\u212a',
  '\ufeff',
  '\ud83d\ude00',
  '0',
  '-1',
  '1e999',
  '255',
  '256',
  '65535',
  '65536',
  '2147483648',
  '4294967296',
  '9007199254740993',
  '18446744073709551616',
  'NaN',
  'null',
  'true',
  '__proto__',
  'constructor',
  'toString',
].map((text) => Buffer.from(text));
const oddBytes = [0x00, 0x01, 0x0a, 0x0d, 0x20, 0x2f, 0x7f, 0x80, 0xc0, 0xc1, 0xed, 0xf4, 0xfe, 0xff];

export function createMutate({ random, maxBytes, words }: MutateOptions): Mutate {
  const below = (n: number) => Math.floor(random.next() * n);
  const pick = <T>(list: readonly T[]): T | undefined => list[below(list.length)];

  /** Puts `what` in place of `length` bytes from `at` on. */
  function put(bytes: Uint8Array, at: number, length: number, what: Uint8Array): Uint8Array {
    return Buffer.concat([bytes.subarray(0, at), what, bytes.subarray(at + length)]);
  }

  /** A stretch of the input, short ones more often. */
  function stretch(bytes: Uint8Array): { at: number; length: number } {
    const at = below(bytes.length + 1);
    const longest = bytes.length - at;
    return { at, length: Math.min(longest, 1 + below(random.next() < 0.7 ? 8 : longest)) };
  }

  function word(): Uint8Array {
    return (random.next() < 0.6 ? pick(words) : undefined) ?? pick(odd) ?? Buffer.alloc(0);
  }

  /** An operand of a comparison that failed becomes the other, where it stands in the input. */
  function satisfy(bytes: Uint8Array, { comparisons }: Parent): Uint8Array {
    const pair = pick(comparisons);
    if (!pair) return put(bytes, below(bytes.length + 1), 0, word());
    const [from, to] = random.next() < 0.5 ? pair : [pair[1], pair[0]];
    const operand = Buffer.from(from);
    const at = operand.length === 0 ? -1 : Buffer.from(bytes).indexOf(operand);
    if (at >= 0) return put(bytes, at, operand.length, Buffer.from(to));
    // It is not there. What separates fields may have to come before it, and is likely to be in the input already.
    const mark = below(bytes.length + 1);
    const separator = bytes.subarray(mark, mark + below(2));
    return put(bytes, below(bytes.length + 1), 0, Buffer.concat([separator, Buffer.from(to)]));
  }

  /** A number in the text becomes a near one, or one of as many digits. */
  function otherNumber(bytes: Uint8Array): Uint8Array {
    const numbers = [
      ...Buffer.from(bytes)
        .toString('latin1')
        .matchAll(/\d{1,15}/g),
    ];
    const [found] = numbers.splice(below(numbers.length), 1);
    if (!found) return put(bytes, below(bytes.length + 1), 0, Buffer.from(String(below(1_000))));
    const number = Number(found[0]);
    const near = random.next() < 0.3 ? number + below(5) - 2 : below(10 ** (1 + below(found[0].length + 1)));
    return put(bytes, found.index, found[0].length, Buffer.from(String(near)));
  }

  function step(bytes: Uint8Array, parent: Parent, other: Uint8Array): Uint8Array {
    const { at, length } = stretch(bytes);
    switch (below(15)) {
      case 0: {
        const copy = Uint8Array.from(bytes);
        if (at < copy.length) copy[at] = (copy[at] ?? 0) ^ (1 << below(8));
        return copy;
      }
      case 1: {
        const copy = Uint8Array.from(bytes);
        if (at < copy.length) copy[at] = random.next() < 0.5 ? below(256) : (pick(oddBytes) ?? 0);
        return copy;
      }
      case 2:
        return put(bytes, at, length, new Uint8Array());
      case 3:
        return bytes.subarray(0, at);
      case 4:
        return put(bytes, at, 0, random.bytes(1 + below(4)));
      case 5:
      case 6:
        return put(bytes, at, 0, word());
      case 7:
        return put(bytes, at, length, word());
      case 8: {
        const piece = bytes.subarray(at, at + length);
        const times = random.next() < 0.8 ? 1 + below(4) : below(Math.ceil(maxBytes / Math.max(1, length)));
        return put(bytes, at, 0, Buffer.concat(Array.from({ length: times }, () => piece)));
      }
      case 9: {
        const from = stretch(bytes);
        return put(bytes, at, 0, bytes.subarray(from.at, from.at + from.length));
      }
      case 10: {
        const from = stretch(other);
        return put(bytes, at, length, other.subarray(from.at, from.at + from.length));
      }
      case 11:
        return Buffer.concat([bytes.subarray(0, at), other.subarray(below(other.length + 1))]);
      case 12: {
        const text = Buffer.from(bytes.subarray(at, at + length)).toString('latin1');
        const other = text === text.toUpperCase() ? text.toLowerCase() : text.toUpperCase();
        return put(bytes, at, length, Buffer.from(other, 'latin1'));
      }
      case 13:
        return otherNumber(bytes);
      default:
        return satisfy(bytes, parent);
    }
  }

  return (parent, other) => {
    let bytes: Uint8Array = parent.bytes;
    // One change is enough half of the time; more get past a reader that wants two at once.
    for (let steps = 0; steps < mostSteps; steps++) {
      bytes = step(bytes, parent, other);
      if (bytes.length > maxBytes) bytes = bytes.subarray(0, maxBytes);
      if (random.next() < 0.5) break;
    }
    return Uint8Array.from(bytes);
  };
}
