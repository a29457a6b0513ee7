import type { Readable } from 'node:stream';
import { parse } from 'yaml';
import { messageOf } from '../../base/errors.ts';
import { type Json, unsafeJson } from './json.ts';
import { parseProtobufBody, protobufType } from './protobuf-body.ts';
import { badRequest, done, type Outcome, refused } from './status.ts';

/** The largest body that a real API server takes. */
const mostBytes = 3 * 1024 * 1024;
const mostAliases = 100;

/**
 * Reads and parses the body of a request: JSON, or YAML or protobuf where the content type says so. An empty one is
 * `null`.
 */
export async function readBody(stream: Readable, contentType: string): Promise<Outcome<Json>> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Not destroyed at the limit, because that would take the connection away under the answer.
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    size += chunk.length;
    if (size > mostBytes) break;
    chunks.push(chunk);
  }
  if (size > mostBytes) {
    // The rest is read and dropped: the client may send its next request behind it.
    stream.resume();
    return refused(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${mostBytes}`);
  }
  const bytes = Buffer.concat(chunks);
  return mediaType(contentType) === protobufType && bytes.length > 0
    ? checked(parseProtobufBody(bytes))
    : parseBody(bytes.toString(), contentType);
}

/** The media type of a header, without its parameters. */
export function mediaType(header: string): string {
  return (header.split(';')[0] ?? '').trim().toLowerCase();
}

export function parseBody(text: string, contentType: string): Outcome<Json> {
  if (text.trim() === '') return done(null);
  const type = mediaType(contentType) || 'application/json';
  const isYaml = type === 'application/yaml' || type.endsWith('+yaml');
  if (!isYaml && type !== 'application/json' && !type.endsWith('+json')) {
    const message = `the body of the request was in an unknown format (${type.slice(0, 100)}); send application/json or application/yaml`;
    return refused(415, 'UnsupportedMediaType', message);
  }
  let value: Json;
  try {
    value = isYaml ? parse(text, { maxAliasCount: mostAliases }) : JSON.parse(text);
  } catch (error) {
    return badRequest(`the body of the request cannot be parsed: ${messageOf(error).slice(0, 300)}`);
  }
  return checked(done(value));
}

function checked(body: Outcome<Json>): Outcome<Json> {
  if (body.kind === 'refused') return body;
  const { value } = body;
  const problem = unsafeJson(value);
  return problem ? badRequest(`the body of the request ${problem}`) : done(value);
}
