import { routeOf } from '../../../src/metadata/route.ts';
import { type FuzzTarget, holds, type OpenTarget } from '../fuzz-target.ts';
import { type FuzzPod, nobody, openFuzzDoor, openFuzzUpstream, reader, writer } from '../lib/fuzz-door.ts';
import { plainRequests } from '../lib/plain-requests.ts';
import { exchangeRaw } from '../lib/raw-exchange.ts';
import { readAnswers } from '../lib/read-answers.ts';
import { isNearCredentials, readings } from '../lib/readings.ts';

const tree = '/latest/meta-data/iam/security-credentials/';
const host = 'Host: 169.254.169.254\r\n';
const get = (path: string, headers = host) => `GET ${path} HTTP/1.1\r\n${headers}\r\n`;
const withToken = `${host}X-aws-ec2-metadata-token: ${reader.token}\r\n`;

/** What the door may say. 502: of the service behind it. */
const statuses = new Set([100, 200, 400, 401, 404, 405, 408, 413, 417, 431, 502, 503]);
/** How a request may say that it means the door. Without any of these it may come from a browser that was led here. */
const ownNames = /169\.254\.169\.254|169\.254\.170\.(?:2|23)|fd00:ec2::|localhost|127\.0\.0\.1|HTTP\/1\.0/i;

export const target: FuzzTarget = {
  name: 'door',
  about: 'raw bytes to a listening metadata door, from a pod, from another and from nobody',
  maxBytes: 3_000,
  seeds: [
    get(`${tree}reader`),
    get(tree, withToken) + get(`${tree}reader`, withToken),
    `PUT /latest/api/token HTTP/1.1\r\n${host}X-aws-ec2-metadata-token-ttl-seconds: 60\r\nContent-Length: 0\r\n\r\n`,
    `GET http://169.254.169.254${tree}writer HTTP/1.1\r\nHost: x\r\n\r\n`,
    `GET ${tree}reader HTTP/1.0\r\n\r\n`,
    `HEAD ${tree}reader HTTP/1.1\r\n${host}\r\n`,
    `POST /ping HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nT: v\r\n\r\n${get(tree)}`,
    `PUT /ping HTTP/1.1\r\n${host}Content-Length: 3\r\nExpect: 100-continue\r\n\r\nabc`,
    get('/latest/meta-data/instance-id', `${host}Connection: close\r\nRange: bytes=0-1\r\n`),
    get(
      '/latest/meta-data/%69am/security%2dcredentials/reader',
      `${host}Connection: Upgrade\r\nUpgrade: h2c\r\n`,
    ),
    `OPTIONS * HTTP/1.1\r\n${host}\r\n`,
    get(tree) + get(`${tree}reader`) + get('/ping') + get('/latest/api/token'),
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    '\x16\x03\x01\x00\x05hello',
  ],
  dictionary: [
    reader.token,
    writer.token,
    '\r\n',
    '\r\n\r\n',
    'GET ',
    'PUT ',
    'HEAD ',
    'POST ',
    'CONNECT ',
    ' HTTP/1.1\r\n',
    ' HTTP/1.0\r\n',
    'Host: ',
    'Transfer-Encoding: chunked\r\n',
    'Content-Length: 5\r\n',
    'Connection: close\r\n',
    'Connection: keep-alive\r\n',
    'X-Forwarded-For: 127.2.0.1\r\n',
    'X-aws-ec2-metadata-token: ',
    'X-aws-ec2-metadata-token-ttl-seconds: 21600\r\n',
    'Expect: 100-continue\r\n',
    '0\r\n\r\n',
    'http://',
    '?ip=127.2.0.1',
    tree,
    'reader',
    'writer',
    get('/ping'),
    get(`${tree}reader`),
    get(`${tree}writer`),
  ],
  open: openDoors,
};

/** Each of several plain requests has its answer: nothing of one is taken for the end, or the start, of another. */
function checkCount(input: Uint8Array, text: string): void {
  const targets = plainRequests(input);
  // What is fetched from elsewhere is let go when the client sends no more; 64 at once are a flood.
  if (!targets || targets.length > 64 || targets.some((path) => routeOf(path).kind === 'other')) return;
  const answers = readAnswers(text, true);
  holds(answers?.length === targets.length, `${targets.length} requests, and ${answers?.length} answers`);
}

async function openDoors(): Promise<OpenTarget> {
  const paths: string[] = [];
  const upstream = await openFuzzUpstream((path) => paths.push(path));
  const preferred = await openFuzzDoor(upstream.port);
  const required = await openFuzzDoor(upstream.port, { imds: 'v2-required' });
  let turn = 0;

  /** One of very many addresses, so that none runs out of ports. */
  const addressIn = (net: string) => `${net}${turn % 250}.1`;

  async function send(bytes: Uint8Array, port: number, net: string): Promise<string> {
    // What has to be fetched is given up when no more comes: some inputs give it the time.
    const end = bytes.length % 4 === 0 ? 20 : 'at-once';
    const { text, reset, open } = await exchangeRaw(bytes, { port, from: addressIn(net), end });
    holds(!open, 'the connection stayed open');
    const answers = readAnswers(text, Buffer.from(bytes).includes('HEAD '));
    if (reset) return text;
    holds(answers !== undefined, () => `no well-formed answers: ${JSON.stringify(text.slice(0, 600))}`);
    for (const { status, headers } of answers) {
      holds(statuses.has(status), `answered ${status}`);
      holds(!headers.has('location'), 'redirects');
      if (status === 100) continue;
      holds(
        headers.get('server') === 'EC2ws' && headers.get('cache-control') === 'no-store',
        `answered ${status} bare`,
      );
    }
    return text;
  }

  async function checkServed({ net, role, secret, token }: FuzzPod, port: number): Promise<void> {
    const headers = `${host}X-aws-ec2-metadata-token: ${token}\r\nConnection: close\r\n`;
    const text = await send(Buffer.from(get(tree + role, headers)), port, net);
    holds(
      text.startsWith('HTTP/1.1 200 ') && text.includes(secret),
      `another pod is not served: ${text.slice(0, 200)}`,
    );
  }

  return {
    async run(input) {
      turn += 1;
      const meantForUs = ownNames.test(Buffer.from(input).toString('latin1'));
      const [own, without, strict] = await Promise.all([
        send(input, preferred.port, reader.net),
        send(input, preferred.port, nobody),
        send(input, required.port, reader.net),
      ]);
      holds(!own.includes(writer.secret), "a pod got another's credentials");
      holds(
        meantForUs || !own.includes(reader.secret),
        'credentials for a request that is not meant for the door',
      );
      holds(!/secret-of-/.test(without), 'credentials for an address that is no pod');
      checkCount(input, own);
      const hasToken = Buffer.from(input).includes(reader.token);
      holds(hasToken || !strict.includes(reader.secret), 'credentials without a token');
      await checkServed(writer, preferred.port);
      for (const path of paths.splice(0)) {
        for (const reading of readings(path)) holds(!isNearCredentials(reading), `${path} was passed on`);
      }
    },
    async close() {
      for (const opened of [preferred, required, upstream]) await opened.close();
    },
  };
}
