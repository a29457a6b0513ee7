import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import { type Scope, stopWith } from '../parts/scope.ts';
import type { TlsFiles } from './tls-files.ts';

/** The answer to a call: the fields of its message by number, or the failure as kiam's agents see it. */
export type KiamReply =
  | { readonly kind: 'ok'; readonly fields: Readonly<Record<number, string>> }
  | { readonly kind: 'error'; readonly code: number; readonly details: string };

/** Calls one method with a message of text fields. */
export type KiamCall = (method: string, fields: readonly string[]) => Promise<KiamReply>;

const callMillis = 10_000;

/**
 * A kiam agent reduced to its wire: gRPC over mutual TLS, and messages put together byte by byte. It shares no code
 * with podpass, generated or written.
 */
export function connectAsKiam(scope: Scope, tls: TlsFiles, port: number): KiamCall {
  const { ca, agent } = tls.certificates;
  const pair = [Buffer.from(ca), Buffer.from(agent.key), Buffer.from(agent.cert)] as const;
  const client = new Client(`localhost:${port}`, credentials.createSsl(...pair));
  stopWith(scope, async () => client.close());

  return (method, fields) =>
    new Promise((resolve) => {
      const path = `/kiam.KiamService/${method}`;
      const options = { deadline: Date.now() + callMillis };
      const done = (error: ServiceError | null, reply?: Readonly<Record<number, string>>) =>
        resolve(
          error
            ? { kind: 'error', code: error.code, details: error.details }
            : { kind: 'ok', fields: reply ?? {} },
        );
      client.makeUnaryRequest(path, encode, decode, fields, options, done);
    });
}

/** Text fields 1, 2, …: tag, length, bytes. All are shorter than 128 bytes, so a length is one byte. */
function encode(fields: readonly string[]): Buffer {
  return Buffer.concat(
    fields.map((text, index) => {
      const bytes = Buffer.from(text);
      return Buffer.concat([Buffer.from([((index + 1) << 3) | 2, bytes.length]), bytes]);
    }),
  );
}

function decode(message: Buffer): Readonly<Record<number, string>> {
  const fields: Record<number, string> = {};
  for (let at = 0; at < message.length; ) {
    const field = (message[at++] ?? 0) >> 3;
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = message[at++] ?? 0;
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    fields[field] = message.toString('utf8', at, at + length);
    at += length;
  }
  return fields;
}
