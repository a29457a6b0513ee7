import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { routeOf } from './route.ts';
import { openProxy } from './testing/fake-upstream.ts';

/**
 * How a metadata service, or whatever stands before it, may read a path that it is sent. None of these is how EC2's
 * reads it as far as anybody knows; the point is that it does not matter.
 */
const readings: readonly ((path: string) => string)[] = [
  (path) => path,
  // Decodes once more, or twice, or reads "+" as a space and trims.
  decode,
  (path) => decode(decode(path)),
  (path) => path.replaceAll('+', ' ').trim(),
  // Cuts parameters and extensions off, reads a backslash as a slash, ends at a NUL.
  (path) => path.replaceAll(/;[^/]*/g, ''),
  (path) => path.replaceAll(/\.[a-z]+(?=\/|$)/g, ''),
  (path) => path.replaceAll('\\', '/'),
  (path) => path.split('\0', 1)[0] ?? '',
  // Takes dot segments away without looking what is left, once.
  (path) => path.replaceAll('../', ''),
  (path) => path.replaceAll('./', '').replaceAll('..', ''),
  (path) => path.replaceAll(/[^\w/-]/g, ''),
  // Knows compatible characters.
  (path) => path.normalize('NFKC'),
];

function decode(path: string): string {
  return path.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

function couldBeCredentials(path: string): boolean {
  return readings
    .flatMap((first) => readings.map((second) => second(first(path))))
    .some((text) => /security-credentials|identity-credentials|\/api\/+token/i.test(text));
}

const names = ['security-credentials', 'identity-credentials', 'iam', 'meta-data', 'latest', 'api', 'token'];
const between = fc.constantFrom(
  '',
  '',
  '',
  '/',
  '//',
  '%2f',
  '%2F',
  '%252f',
  '\\',
  '%5c',
  '../',
  './',
  '..',
  '.',
  ';',
  ';x=1',
  '%00',
  '%0a',
  '\n',
  '%c0%af',
  '%ef%bc%8f',
  '+',
  '%2b',
  '%',
  '%25',
  '?',
  '#',
  '-',
  'ſ',
  'K',
  '\u200b',
  '%20',
  ' ',
  ':',
  '@',
  '=',
  '&',
);
/** A name with something in its midst, and with some of its letters in another dress. */
const broken = fc
  .tuple(fc.constantFrom(...names), fc.nat(20), between, fc.array(fc.nat(20), { maxLength: 3 }))
  .map(([name, at, what, dressed]) => {
    const chars = [...name].map((char, i) => (dressed.includes(i) ? dress(char, i) : char));
    chars.splice(at % (name.length + 1), 0, what);
    return chars.join('');
  });

function dress(char: string, i: number): string {
  const hex = `%${char.charCodeAt(0).toString(16)}`;
  return [hex, hex.replace('%', '%25'), hex.replace('%', '%2525'), char.toUpperCase()][i % 4] ?? char;
}

const start = fc.constantFrom(
  '/',
  '/latest/meta-data/',
  'http://169.254.169.254/',
  'HTTP://x/latest/',
  '//',
  '',
);
const target = fc.oneof(
  fc
    .tuple(start, fc.array(fc.oneof(broken, between), { maxLength: 12 }))
    .map(([s, parts]) => s + parts.join('')),
  fc
    .tuple(start, fc.array(fc.oneof(broken, between), { maxLength: 12 }))
    .map(([s, parts]) => s + parts.join('/')),
  fc.string({ unit: 'binary', maxLength: 80 }),
);

describe('whatever is allowed', () => {
  it('no target at all is sent upstream as a path that anybody could read as one to credentials', () => {
    let sent = 0;
    fc.assert(
      fc.property(target, (text) => {
        const route = routeOf(text);
        if (route.kind !== 'other') return;
        sent += 1;
        assert.equal(couldBeCredentials(route.path), false, route.path);
      }),
      { numRuns: 20_000 },
    );
    // The property is about those that are sent: there must be some.
    assert.ok(sent > 500, String(sent));
  });

  it('the path that arrives upstream is the one that was judged', async (t) => {
    const { upstream, door } = await openProxy(t, '.*');
    const printable = target.map((text) => text.replaceAll(/[^!-~]/g, '')).filter((text) => text !== '');
    await fc.assert(
      fc.asyncProperty(printable, async (text) => {
        const before = upstream.reads.length;
        const route = routeOf(text);
        await door.get(text);
        // None where the host of an absolute target is not ours.
        for (const path of upstream.reads.slice(before)) assert.deepEqual(route, { kind: 'other', path });
      }),
      { numRuns: 300 },
    );
    for (const path of upstream.reads) assert.equal(couldBeCredentials(path), false, path);
  });

  for (const path of [
    '/latest/meta-data/iam/secu../rity-credentials/',
    '/latest/meta-data/iam/security-./credentials/node',
    '/latest/meta-data/iam/security/credentials',
    '/latest/meta-data/iam/security+-credentials/',
    '/latest/meta-data/Identity--Credentials/ec2/info',
  ]) {
    it(`keeps ${path} here, which a careless service would clean into one`, () =>
      assert.deepEqual(routeOf(path), { kind: 'forbidden-tree' }));
  }
});
