import { createJsonLineReader } from '../../../src/cluster/json-lines.ts';
import { type FuzzTarget, holds } from '../fuzz-target.ts';

const longestLine = 48;

/** The first two bytes say how the rest is cut: what comes out must not depend on it. */
export const target: FuzzTarget = {
  name: 'json-lines',
  about:
    'lines of a watch in any chunks: the same objects and the same fault, by a reference that has them all at once',
  maxBytes: 400,
  seeds: [
    '\x01\x01{"a":1}\n{"b":2}\n',
    '\x03\x05\n\n[]\r\n"\ud83d\ude00"\nnull\n',
    '\x02\x07{"a":\n',
    `\x20\x20${'"x"'.padEnd(60)}\n`,
    '\x04\x01{}\n{"c":"\u2028"}',
  ],
  dictionary: ['\n', '\r\n', '{}', '""', ' '.repeat(47), '\ufeff'],
  open: () => ({
    run(input) {
      const bytes = Buffer.from(input.subarray(2));
      const sizes = [1 + ((input[0] ?? 0) % 64), 1 + ((input[1] ?? 0) % 64)] as const;
      const cut = feed(chunksOf(bytes, sizes));
      const whole = feed([Buffer.from(bytes)]);
      const expected = reference(bytes);
      holds(cut === whole, `in pieces ${cut}, at once ${whole}`);
      holds(whole === expected, `${whole}, and the reference ${expected}`);
    },
  }),
};

function chunksOf(bytes: Buffer, sizes: readonly [number, number]): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = chunks.length % 2 === 0 ? sizes[0] : sizes[1];
    chunks.push(Buffer.from(bytes.subarray(at, at + size)));
    at += size;
  }
  return chunks;
}

function feed(chunks: readonly Buffer[]): string {
  const reader = createJsonLineReader(longestLine);
  const objects: unknown[] = [];
  for (const chunk of chunks) {
    const { objects: found, fault } = reader.push(chunk);
    objects.push(...found);
    // What was pushed has been copied: the socket uses its memory again.
    chunk.fill(0x7b);
    if (fault) return JSON.stringify({ objects, fault, partial: reader.partial });
  }
  return JSON.stringify({ objects, partial: reader.partial });
}

function reference(bytes: Buffer): string {
  const objects: unknown[] = [];
  let at = 0;
  for (;;) {
    const found = bytes.indexOf(0x0a, at);
    const end = found < 0 ? bytes.length : found;
    if (end - at > longestLine) return JSON.stringify({ objects, fault: 'oversized', partial: false });
    if (found < 0) return JSON.stringify({ objects, partial: end > at });
    const line = bytes.toString('utf8', at, end);
    at = end + 1;
    if (line.trim() === '') continue;
    try {
      objects.push(JSON.parse(line));
    } catch {
      return JSON.stringify({ objects, fault: 'malformed', partial: false });
    }
  }
}
