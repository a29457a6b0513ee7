import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createPutGuard } from './put-guard.ts';

const get = 'GET /latest/meta-data/ HTTP/1.1\r\nHost: a\r\n\r\n';
const put = 'PUT /latest/api/token HTTP/1.1\r\nHost: a\r\n\r\n';

/** Sends chunks through a guard: what came out, and whether it refused. */
async function guard(chunks: readonly string[]): Promise<{ out: string; refused: boolean }> {
  const stream = createPutGuard();
  let out = '';
  let refused = false;
  stream.setEncoding('utf8').on('data', (text) => {
    out += text;
  });
  stream.once('refused', () => {
    refused = true;
  });
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  await new Promise((resolve) => stream.once('end', resolve));
  return { out, refused };
}

describe('createPutGuard', () => {
  const passing: readonly (readonly [what: string, text: string])[] = [
    ['nothing', ''],
    ['one request', get],
    ['requests in a row', get + get + get],
    ['a HEAD', 'HEAD / HTTP/1.1\r\n\r\n'],
    ['half a method', 'PU'],
    ['another method that begins alike', 'PUTS / HTTP/1.1\r\n\r\n'],
    ['a PUT within a header', 'GET / HTTP/1.1\r\nX: a\r\nPUT b: c\r\n\r\n'],
    ['a method in small letters', 'put / HTTP/1.1\r\n\r\n'],
    ['line ends that are not the end', 'GET / HTTP/1.1\r\r\n\r\r\n\r\n'],
  ];
  for (const [what, text] of passing) {
    it(`lets ${what} through`, async () => {
      assert.deepEqual(await guard([text]), { out: text, refused: false });
      assert.deepEqual(await guard(text.split('')), { out: text, refused: false });
    });
  }

  for (const [what, before] of [
    ['as the first request', ''],
    ['after another', get],
    ['after many', get.repeat(5)],
    ['behind a head that ends oddly', 'GET / HTTP/1.1\r\nA: b\r\r\n\r\n'],
  ] as const) {
    it(`refuses a PUT ${what}, however it is cut`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.nat(before.length + put.length)), async (cuts) => {
          const { out, refused } = await guard(cut(before + put + get, cuts));
          assert.equal(refused, true);
          assert.ok(before.startsWith(out), 'nothing of the PUT or behind it comes out');
        }),
      );
    });
  }

  it('lets any requests without a body through byte for byte, however they are cut', async () => {
    const line = fc.string({ unit: fc.constantFrom('a', 'P', 'U', 'T', ' ', '\r', ':'), maxLength: 8 });
    const request = fc
      .tuple(fc.constantFrom('GET /', 'HEAD /', 'P', 'PU', 'POST'), fc.array(line, { maxLength: 3 }))
      .map(([first, lines]) => `${first}x\r\n${lines.map((text) => `h${text}\r\n`).join('')}\r\n`);
    await fc.assert(
      fc.asyncProperty(fc.array(request, { maxLength: 4 }), fc.array(fc.nat(120)), async (requests, cuts) => {
        const text = requests.join('');
        assert.deepEqual(await guard(cut(text, cuts)), { out: text, refused: false });
      }),
    );
  });
});

/** Cuts a text at the positions given. */
function cut(text: string, positions: readonly number[]): string[] {
  const at = [0, ...positions.filter((position) => position < text.length), text.length].sort(
    (a, b) => a - b,
  );
  return at.slice(1).map((end, index) => text.slice(at[index], end));
}
