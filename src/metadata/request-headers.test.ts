import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readHeaders } from './request-headers.ts';

function read(...rawHeaders: string[]) {
  return readHeaders({ rawHeaders } as IncomingMessage);
}

const none = {
  host: undefined,
  token: undefined,
  ttl: undefined,
  forwarded: false,
  bodyLength: 0,
  repeated: false,
};

describe('readHeaders', () => {
  it('finds nothing where nothing is', () => {
    assert.deepEqual(read(), none);
    assert.deepEqual(read('Accept', '*/*', 'User-Agent', 'aws-cli/2', 'Connection', 'keep-alive'), none);
  });

  it('picks what the door needs from among the rest', () => {
    assert.deepEqual(
      read(
        'Host',
        '169.254.169.254',
        'User-Agent',
        'Boto3',
        'X-aws-ec2-metadata-token',
        'abc',
        'X-aws-ec2-metadata-token-ttl-seconds',
        '21600',
        'X-Forwarded-For',
        '10.0.0.1',
        'Content-Length',
        '12',
      ),
      {
        host: '169.254.169.254',
        token: 'abc',
        ttl: '21600',
        forwarded: true,
        bodyLength: 12,
        repeated: false,
      },
    );
  });

  const spellings: [string, (name: string) => string][] = [
    ['lower', (name) => name.toLowerCase()],
    ['upper', (name) => name.toUpperCase()],
  ];
  for (const [spelling, spell] of spellings) {
    it(`reads names in ${spelling} case`, () => {
      const found = read(
        spell('Host'),
        'h',
        spell('X-aws-ec2-metadata-token'),
        't',
        spell('X-aws-ec2-metadata-token-ttl-seconds'),
        '60',
        spell('X-Forwarded-For'),
        'f',
        spell('Content-Length'),
        '1',
      );
      assert.deepEqual(found, {
        host: 'h',
        token: 't',
        ttl: '60',
        forwarded: true,
        bodyLength: 1,
        repeated: false,
      });
    });
  }

  it('keeps an empty token apart from none, because a client sent it', () => {
    assert.equal(read('X-aws-ec2-metadata-token', '').token, '');
  });

  it('does not know the length of a chunked body', () => {
    assert.ok(Number.isNaN(read('Transfer-Encoding', 'chunked').bodyLength));
    assert.ok(Number.isNaN(read('transfer-encoding', 'chunked', 'content-length', '5').bodyLength));
  });

  for (const name of ['Host', 'X-aws-ec2-metadata-token', 'X-aws-ec2-metadata-token-ttl-seconds']) {
    it(`notices a second ${name}`, () => {
      assert.equal(read(name, 'a', name.toLowerCase(), 'a').repeated, true);
      assert.equal(read(name, 'a', 'Accept', 'b', 'Accept', 'c').repeated, false);
    });
  }

  it('is not taken in by names of the same length', () => {
    const lengths = [4, 14, 15, 17, 24, 36];
    assert.deepEqual(read(...lengths.flatMap((length) => ['x'.repeat(length), 'value'])), none);
  });

  it('finds what an ordinary reader of headers finds', () => {
    const names = fc.constantFrom(
      'host',
      'HOST',
      'x-aws-ec2-metadata-token',
      'X-AWS-EC2-Metadata-Token',
      'x-forwarded-for',
      'accept',
      'x-aws-ec2-metadata-tokem',
      'X-aws-ec2-metadata-token-ttl-seconds',
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(names, fc.string({ maxLength: 8 }))), (pairs) => {
        const values = (name: string) =>
          pairs.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);
        const found = read(...pairs.flat());
        assert.equal(found.host, values('host').at(-1));
        assert.equal(found.token, values('x-aws-ec2-metadata-token').at(-1));
        assert.equal(found.forwarded, values('x-forwarded-for').length > 0);
        const single = ['host', 'x-aws-ec2-metadata-token', 'x-aws-ec2-metadata-token-ttl-seconds'];
        assert.equal(
          found.repeated,
          single.some((name) => values(name).length > 1),
        );
      }),
    );
  });
});
