// Load on a unary RPC: one connection over mutual TLS, a fixed number of calls in flight, HTTP/2 frames written by
// hand. A client of a library costs more than the server that it loads, and the measurement would be of the client.

import { readFileSync } from 'node:fs';
import { connect } from 'node:tls';
import type { TlsFiles } from '../cloud/protocol.ts';
import { percentile } from '../lib/statistics.ts';
import {
  createFrameReader,
  data,
  flags,
  frame,
  frames,
  headers,
  preface,
  windowUpdate,
} from './http2-frames.ts';
import { input, say } from './say.ts';

export interface RpcLoadInput {
  readonly tls: TlsFiles;
  readonly port: number;
  readonly path: string;
  readonly requestBase64: string;
  /** Every answer must be of this size; a refusal has none. */
  readonly responseBytes: number;
  readonly inFlight: number;
  readonly seconds: number;
  /** Goes on beyond the time until there are so many: code that is compiled for few calls says little of many. */
  readonly leastCalls: number;
}

export interface RpcLoadResult {
  readonly calls: number;
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly failed: number;
}

const { tls, port, path, requestBase64, responseBytes, inFlight, seconds, leastCalls } =
  input<RpcLoadInput>();
const request = data(Buffer.from(requestBase64, 'base64'));
/** As kiam's agents send them; the deadline is part of what a server has to handle. */
const head = headers([
  [':method', 'POST'],
  [':scheme', 'https'],
  [':path', path],
  [':authority', 'localhost'],
  ['content-type', 'application/grpc'],
  ['te', 'trailers'],
  ['grpc-timeout', '5S'],
]);
const maxWindow = 2 ** 31 - 1;

const socket = connect({
  host: '127.0.0.1',
  port,
  servername: 'localhost',
  ALPNProtocols: ['h2'],
  ca: readFileSync(tls.ca),
  cert: readFileSync(tls.cert),
  key: readFileSync(tls.key),
});
socket.setNoDelay(true);

/** By stream: when the call began, and how many bytes of its answer have come. */
const calls = new Map<number, { readonly began: number; received: number }>();
const latencies: number[] = [];
let failed = 0;
let nextStream = 1;
let unacknowledged = 0;
let began = 0;
let out: Buffer[] = [];

function call(): void {
  calls.set(nextStream, { began: performance.now(), received: 0 });
  out.push(frame(frames.headers, flags.endHeaders, nextStream, head));
  out.push(frame(frames.data, flags.endStream, nextStream, request));
  nextStream += 2;
}

function flush(): void {
  if (out.length === 0) return;
  socket.write(Buffer.concat(out));
  out = [];
}

const read = createFrameReader((type, flag, stream, payload) => {
  if (type === frames.settings && !(flag & flags.ack)) out.push(frame(frames.settings, flags.ack, 0));
  if (type === frames.ping && !(flag & flags.ack)) out.push(frame(frames.ping, flags.ack, 0, payload));
  if (type === frames.goAway) throw new Error('the server ended the connection');
  if (type === frames.data) {
    unacknowledged += payload.length;
    const open = calls.get(stream);
    if (open) open.received += payload.length;
  }
  const over =
    type === frames.resetStream ||
    ((type === frames.headers || type === frames.data) && flag & flags.endStream);
  if (!over) return;
  const ended = calls.get(stream);
  if (!ended) return;
  calls.delete(stream);
  if (ended.received === responseBytes) latencies.push(performance.now() - ended.began);
  else failed += 1;
  call();
});

socket.once('secureConnect', () => {
  out.push(preface(maxWindow), windowUpdate(maxWindow - 65_535));
  began = performance.now();
  for (let i = 0; i < inFlight; i += 1) call();
  flush();
  setTimeout(finishWhenEnough, seconds * 1_000);
});
socket.on('data', (chunk: Buffer) => {
  read(chunk);
  if (unacknowledged > 1_000_000) {
    out.push(windowUpdate(unacknowledged));
    unacknowledged = 0;
  }
  flush();
});

/** However few there are: a slow server is waited for no longer. */
const mostStretch = 6;

function finishWhenEnough(): void {
  const isLate = performance.now() - began > mostStretch * seconds * 1_000;
  if (latencies.length >= leastCalls || isLate) finish();
  else setTimeout(finishWhenEnough, 100);
}

function finish(): void {
  const elapsed = (performance.now() - began) / 1_000;
  const result: RpcLoadResult = {
    calls: latencies.length,
    perSecond: latencies.length / elapsed,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    failed,
  };
  socket.destroy();
  say(result);
}
