import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { systemClock } from '../../../src/base/clock.ts';
import { type FuzzTarget, holds } from '../fuzz-target.ts';
import { openFuzzDoor } from '../lib/fuzz-door.ts';
import { exchangeRaw } from '../lib/raw-exchange.ts';
import { readAnswers } from '../lib/read-answers.ts';

const ask = Buffer.from(
  'GET /latest/meta-data/ami-id HTTP/1.1\r\nHost: 169.254.169.254\r\nConnection: close\r\n\r\n',
);

/** A zero byte first: the bytes are the answer to the token request. Else they are the answer to the read. */
export const target: FuzzTarget = {
  name: 'upstream',
  about:
    'raw bytes as the answers of the metadata service behind the proxy: the pod gets a whole answer, or 502',
  maxBytes: 2_000,
  seeds: [
    'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nETag: "x"\r\n\r\nami',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nami\r\n0\r\n\r\n',
    'HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest/meta-data/iam/security-credentials/\r\n\r\n',
    'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.0 200 OK\r\n\r\nuntil the end',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx',
    'HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n',
    '\0HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n\r\ntoken',
    '\0HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n',
    '\0HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nto\r\nken\n',
  ],
  dictionary: [
    'HTTP/1.1 ',
    '\r\n',
    '\r\n\r\n',
    'Content-Length: ',
    'Transfer-Encoding: chunked',
    'Connection: ETag\r\n',
    'Location: ',
    'Set-Cookie: ',
    '206',
    '304',
    '1xx',
  ],
  async open() {
    let onToken: Uint8Array = new Uint8Array();
    let onRead: Uint8Array = new Uint8Array();
    const service = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', (chunk) => socket.end(String(chunk).startsWith('PUT') ? onToken : onRead));
    });
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
    const { port: behind } = service.address() as AddressInfo;
    const goodToken = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ntoken');
    const goodRead = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nami');
    return {
      async run(input) {
        const isToken = input[0] === 0;
        onToken = isToken ? input.subarray(1) : goodToken;
        onRead = isToken ? goodRead : input;
        // A door of its own, because tokens are kept.
        const door = await openFuzzDoor(behind, { clock: systemClock });
        const { text, reset, open } = await exchangeRaw(ask, {
          port: door.port,
          from: '127.2.0.1',
          end: 'never',
        });
        await door.close();
        holds(!open, 'the connection stayed open');
        holds(!/secret-of-/.test(text), 'credentials for a request for something else');
        // No length stands in 204 (RFC 9110 8.6).
        const isBare = text.startsWith('HTTP/1.1 204 ');
        const answers = readAnswers(
          isBare ? text.replace('\r\n\r\n', '\r\nContent-Length: 0\r\n\r\n') : text,
          false,
        );
        // A streamed answer that breaks off cuts the connection, and who reads it can tell.
        if (answers === undefined) {
          holds(reset || /^HTTP\/1\.1 20[06] /.test(text), `answered ${JSON.stringify(text.slice(0, 400))}`);
          return;
        }
        holds(answers.length === 1 || reset, 'there is no answer');
        for (const { status, headers } of answers) {
          // As docs/metadata-protocol.md has it for what is asked without a condition.
          const passes = (status >= 200 && status < 300) || (status >= 400 && status < 600);
          holds(passes && status !== 401 && status !== 407, `answered ${status}`);
          for (const name of ['location', 'set-cookie', 'x-aws-ec2-metadata-token'])
            holds(!headers.has(name), `passes ${name} on`);
        }
      },
      close: () => void service.close(),
    };
  },
};
