import { BinaryReader } from '@bufbuild/protobuf/wire';
import { messageOf } from '../../base/errors.ts';
import type { Json, JsonObject } from './json.ts';
import { badRequest, done, type Outcome, refused } from './status.ts';

/** What a message of Kubernetes' protobuf looks like: by field number, its JSON name and how it is written. */
type Message = Readonly<Record<number, readonly [name: string, shape: Shape]>>;
type Shape = 'text' | 'texts' | 'number' | 'bool' | 'textMap' | 'bytesMap' | { readonly message: Message };

// Field numbers: the `generated.proto` files of k8s.io/apimachinery and k8s.io/api. Only what a client would send.
const objectMeta: Message = {
  1: ['name', 'text'],
  2: ['generateName', 'text'],
  3: ['namespace', 'text'],
  11: ['labels', 'textMap'],
  12: ['annotations', 'textMap'],
  14: ['finalizers', 'texts'],
};

function kind(fields: Message): Message {
  return { 1: ['metadata', { message: objectMeta }], ...fields };
}

const reference: Message = {
  1: ['kind', 'text'],
  2: ['apiVersion', 'text'],
  3: ['name', 'text'],
  4: ['uid', 'text'],
};

const messages: Readonly<Record<string, Message>> = {
  'v1/ConfigMap': kind({ 2: ['data', 'textMap'], 3: ['binaryData', 'bytesMap'], 4: ['immutable', 'bool'] }),
  'v1/Namespace': kind({}),
  'v1/Secret': kind({
    2: ['data', 'bytesMap'],
    3: ['type', 'text'],
    4: ['stringData', 'textMap'],
    5: ['immutable', 'bool'],
  }),
  'v1/ServiceAccount': kind({}),
  'authentication.k8s.io/v1/TokenRequest': kind({
    2: [
      'spec',
      {
        message: {
          1: ['audiences', 'texts'],
          3: ['boundObjectRef', { message: reference }],
          4: ['expirationSeconds', 'number'],
        },
      },
    ],
  }),
  'authentication.k8s.io/v1/TokenReview': kind({
    2: ['spec', { message: { 1: ['token', 'text'], 2: ['audiences', 'texts'] } }],
  }),
  'authentication.k8s.io/v1/SelfSubjectReview': kind({}),
  'authorization.k8s.io/v1/SelfSubjectAccessReview': kind({
    2: [
      'spec',
      {
        message: {
          1: [
            'resourceAttributes',
            {
              message: {
                1: ['namespace', 'text'],
                2: ['verb', 'text'],
                3: ['group', 'text'],
                4: ['version', 'text'],
                5: ['resource', 'text'],
                6: ['subresource', 'text'],
                7: ['name', 'text'],
              },
            },
          ],
          2: ['nonResourceAttributes', { message: { 1: ['path', 'text'], 2: ['verb', 'text'] } }],
        },
      },
    ],
  }),
};

export const protobufType = 'application/vnd.kubernetes.protobuf';

const magic = Buffer.from('k8s\0');

/**
 * Reads a body in Kubernetes' protobuf, in which kubectl sends what it makes itself (`create token`, `create
 * namespace`, `auth can-i`). Kinds that are not in the table are refused with 415: their schemas are large, and
 * kubectl sends what comes from a file as JSON.
 */
export function parseProtobufBody(bytes: Uint8Array): Outcome<Json> {
  if (!magic.equals(bytes.subarray(0, magic.length)))
    return badRequest('the body is not Kubernetes protobuf');
  try {
    const { apiVersion, kind: kindName, raw } = readEnvelope(bytes.subarray(magic.length));
    const key = `${apiVersion}/${kindName}`;
    const message = Object.hasOwn(messages, key) ? messages[key] : undefined;
    if (!message) {
      const text = `the sandbox does not read ${key.slice(0, 200)} as protobuf. Put it into a file and use kubectl apply -f, which sends JSON`;
      return refused(415, 'UnsupportedMediaType', text);
    }
    return done({ apiVersion, kind: kindName, ...readMessage(raw, message) });
  } catch (error) {
    return badRequest(`the body is not Kubernetes protobuf: ${messageOf(error)}`);
  }
}

/** `k8s.io.apimachinery.pkg.runtime.Unknown`: what it is, and the bytes of it. */
function readEnvelope(bytes: Uint8Array): { apiVersion: string; kind: string; raw: Uint8Array } {
  const typeMeta: Message = { 1: ['apiVersion', 'text'], 2: ['kind', 'text'] };
  const reader = new BinaryReader(bytes);
  let type: JsonObject = {};
  let raw: Uint8Array = new Uint8Array();
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) type = readMessage(reader.bytes(), typeMeta);
    else if (field === 2) raw = reader.bytes();
    else reader.skip(wireType, field);
  }
  return { apiVersion: String(type.apiVersion ?? ''), kind: String(type.kind ?? ''), raw };
}

function readMessage(bytes: Uint8Array, message: Message): JsonObject {
  const reader = new BinaryReader(bytes);
  const result: Record<string, Json> = {};
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    const known = message[field];
    if (!known) {
      reader.skip(wireType, field);
      continue;
    }
    const [name, shape] = known;
    const value = readField(reader, shape, result[name]);
    // Go writes empty texts where JSON leaves them out.
    if (value !== '') result[name] = value;
  }
  return result;
}

function readField(reader: BinaryReader, shape: Shape, before: Json | undefined): Json {
  switch (shape) {
    case 'text':
      return reader.string();
    case 'texts':
      return [...(Array.isArray(before) ? before : []), reader.string()];
    case 'number':
      return Number(reader.int64());
    case 'bool':
      return reader.bool();
    case 'textMap':
    case 'bytesMap':
      return { ...(before as JsonObject | undefined), ...readEntry(reader.bytes(), shape) };
    default:
      return readMessage(reader.bytes(), shape.message);
  }
}

function readEntry(bytes: Uint8Array, shape: 'textMap' | 'bytesMap'): JsonObject {
  const reader = new BinaryReader(bytes);
  let key = '';
  let value = '';
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) key = reader.string();
    // Bytes are base64 in JSON.
    else if (field === 2)
      value = shape === 'textMap' ? reader.string() : Buffer.from(reader.bytes()).toString('base64');
    else reader.skip(wireType, field);
  }
  return { [key]: value };
}
