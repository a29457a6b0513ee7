import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { parseProtobufBody, protobufType } from './protobuf-body.ts';
import { readBody } from './request-body.ts';
import { accepted, refusal } from './testing/outcomes.ts';

/** A message of fields that are texts or messages, by number. */
function message(...fields: [number, string | Uint8Array | number][]): Uint8Array {
  const writer = new BinaryWriter();
  for (const [number, value] of fields) {
    if (typeof value === 'number') writer.uint32((number << 3) | 0).int64(value);
    else if (typeof value === 'string') writer.uint32((number << 3) | 2).string(value);
    else writer.uint32((number << 3) | 2).bytes(value);
  }
  return writer.finish();
}

function body(apiVersion: string, kind: string, raw: Uint8Array): Uint8Array {
  const envelope = message([1, message([1, apiVersion], [2, kind])], [2, raw], [3, ''], [4, '']);
  return Buffer.concat([Buffer.from('k8s\0'), envelope]);
}

describe('bodies in protobuf', () => {
  it('ask for a token as kubectl create token does', () => {
    const reference = message([1, 'Pod'], [2, 'v1'], [3, 'web'], [4, 'u']);
    const spec = message([1, 'sts.amazonaws.com'], [1, 'podpass'], [3, reference], [4, 600]);
    const raw = message([1, message([1, ''], [8, message()])], [2, spec], [3, message([1, ''])]);
    assert.deepEqual(accepted(parseProtobufBody(body('authentication.k8s.io/v1', 'TokenRequest', raw))), {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: {},
      spec: {
        audiences: ['sts.amazonaws.com', 'podpass'],
        boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'web', uid: 'u' },
        expirationSeconds: 600,
      },
    });
  });

  it('make namespaces with labels and annotations', () => {
    const entry = (key: string, value: string) => message([1, key], [2, value]);
    const metadata = message(
      [1, 'shop'],
      [3, ''],
      [5, 'uid'],
      [11, entry('a', 'b')],
      [11, entry('c', '')],
      [12, entry('d', 'e')],
    );
    assert.deepEqual(accepted(parseProtobufBody(body('v1', 'Namespace', message([1, metadata])))), {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'shop', labels: { a: 'b', c: '' }, annotations: { d: 'e' } },
    });
  });

  it('make config maps and secrets, bytes as base64', () => {
    const metadata = message([1, 'x'], [14, 'a/1'], [14, 'a/2']);
    const text = message([1, 'k'], [2, 'v']);
    const bytes = message([1, 'k'], [2, Uint8Array.of(0, 255)]);
    assert.deepEqual(
      accepted(
        parseProtobufBody(body('v1', 'ConfigMap', message([1, metadata], [2, text], [3, bytes], [4, 1]))),
      ),
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'x', finalizers: ['a/1', 'a/2'] },
        data: { k: 'v' },
        binaryData: { k: 'AP8=' },
        immutable: true,
      },
    );
    const secret = accepted(
      parseProtobufBody(body('v1', 'Secret', message([1, metadata], [2, bytes], [3, 'Opaque']))),
    );
    assert.deepEqual((secret as { data: unknown }).data, { k: 'AP8=' });
  });

  it('are taken from a request by their type', async () => {
    const bytes = body('v1', 'ServiceAccount', message([1, message([1, 'robot'])]));
    assert.deepEqual(accepted(await readBody(Readable.from([bytes]), protobufType)), {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'robot' },
    });
  });

  it('may not name a label __proto__', async () => {
    const metadata = message([1, 'x'], [11, message([1, '__proto__'], [2, 'y'])]);
    const bytes = body('v1', 'ConfigMap', message([1, metadata]));
    refusal(await readBody(Readable.from([bytes]), protobufType), 400, 'BadRequest');
  });

  it('are refused for kinds whose schema is not known, with a way out', () => {
    const { message: text } = refusal(parseProtobufBody(body('apps/v1', 'Deployment', message())), 415);
    assert.match(text ?? '', /apps\/v1\/Deployment.*kubectl apply -f/);
    refusal(parseProtobufBody(body('', 'constructor', message())), 415);
  });

  it('are refused when they are something else, without throwing', () => {
    refusal(parseProtobufBody(Buffer.from('{}')), 400);
    refusal(
      parseProtobufBody(Buffer.from('k8s\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff', 'latin1')),
      400,
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const outcome = parseProtobufBody(Buffer.concat([Buffer.from('k8s\0'), bytes]));
        assert.equal(outcome.kind, 'refused');
      }),
    );
    const whole = body(
      'v1',
      'ConfigMap',
      message([1, message([1, 'name'])], [2, message([1, 'k'], [2, 'v'])]),
    );
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (index, byte) => {
        const broken = Uint8Array.from(whole);
        broken[index] = byte;
        const outcome = parseProtobufBody(broken);
        if (outcome.kind === 'refused') assert.ok([400, 415].includes(outcome.status.code));
      }),
    );
  });
});
