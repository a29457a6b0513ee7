import { PodpassError } from '../../../src/base/errors.ts';
import { parseContinueToken } from '../../../src/sandbox/cluster-api/continue-token.ts';
import { parseFieldSelector } from '../../../src/sandbox/cluster-api/field-selector.ts';
import { isObject, type Json, type JsonObject } from '../../../src/sandbox/cluster-api/json.ts';
import { parseLabelSelector } from '../../../src/sandbox/cluster-api/label-selector.ts';
import { parseManifests } from '../../../src/sandbox/cluster-api/manifests.ts';
import { applyPatchTo } from '../../../src/sandbox/cluster-api/patch.ts';
import { parseProtobufBody } from '../../../src/sandbox/cluster-api/protobuf-body.ts';
import { parseBody } from '../../../src/sandbox/cluster-api/request-body.ts';
import { resources } from '../../../src/sandbox/cluster-api/resources.ts';
import { parseRoute } from '../../../src/sandbox/cluster-api/route.ts';
import { parseWatchRequest } from '../../../src/sandbox/cluster-api/watch-request.ts';
import { textOf } from '../engine/text.ts';
import { type FuzzTarget, holds } from '../fuzz-target.ts';

const stored: JsonObject = {
  metadata: { name: 'web', labels: { app: 'web' }, finalizers: ['a'] },
  spec: { containers: [{ name: 'c', image: 'i' }], list: [1, 2, 3] },
};
const before = JSON.stringify(stored);
const pods = resources.find(({ plural }) => plural === 'pods');

export const target: FuzzTarget = {
  name: 'sandbox-cluster',
  about:
    "the sandbox's API: bodies, patches, selectors, paths, manifests; each is an outcome, and what is stored stays",
  maxBytes: 1_500,
  seeds: [
    '[{"op":"add","path":"/metadata/labels/x","value":"y"},{"op":"test","path":"/spec/list/0","value":1},{"op":"move","from":"/spec/list/1","path":"/spec/list/-"}]',
    '{"metadata":{"labels":{"app":null},"finalizers":["b"]},"spec":{"containers":[{"name":"c","$patch":"delete"}],"$setElementOrder/containers":[{"name":"c"}]}}',
    'app=web,tier!=db,env in (a, b),!x,size>3',
    'spec.nodeName=node-1,status.phase!=Succeeded',
    '/api/v1/namespaces/shop/pods/web/status',
    'resourceVersion=10&timeoutSeconds=5&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&labelSelector=app%3Dweb',
    'apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: &x {a: b}}\n---\nkind: List\nitems: [*x]\n',
    Buffer.from('k8s\0\x0a\x0b\x0a\x02v1\x12\x05Podxx\x12\x04\x0a\x02\x0a\x00', 'latin1'),
    Buffer.from(JSON.stringify({ rv: 10, after: 'shop/web' })).toString('base64url'),
  ],
  dictionary: [
    '"$patch":"replace"',
    '"$deleteFromPrimitiveList/finalizers":',
    '"$retainKeys":',
    '~0',
    '~1',
    '/-',
    '"__proto__":',
    'constructor',
    ' notin (',
    'k8s\0',
    '&a ',
    '*a',
    '---\n',
    '"op":"copy"',
    '/metadata',
    '/spec/containers/0',
  ],
  open: () => ({
    run(input) {
      const text = textOf(input);
      for (const type of ['application/json', 'application/yaml', 'text/plain']) {
        const body = parseBody(text, type);
        if (body.kind === 'done') patchAll(body.value);
      }
      const proto = parseProtobufBody(input);
      if (proto.kind === 'done') holds(isObject(proto.value), 'a message is no object');
      const labels = parseLabelSelector(text);
      if (labels.kind === 'done') for (const set of [{}, { app: 'web' }, { size: '4' }]) labels.value(set);
      if (pods) {
        const fields = parseFieldSelector(pods, text);
        if (fields.kind === 'done') fields.value(stored);
        parseWatchRequest(pods, 'shop', new URLSearchParams(text));
      }
      parseRoute(text);
      const position = parseContinueToken(text);
      if (position.kind === 'done') holds(Number.isSafeInteger(position.value.resourceVersion), 'no version');
      try {
        parseManifests(text, 'file.yaml');
      } catch (thrown) {
        if (!(thrown instanceof PodpassError)) throw thrown;
      }
      holds(Object.keys(Object.prototype).length === 0, 'every object has a new member');
    },
  }),
};

function patchAll(patch: Json): void {
  for (const kind of ['json', 'merge', 'strategic', 'apply'] as const) {
    applyPatchTo(stored, kind, patch);
    holds(JSON.stringify(stored) === before, `a ${kind} patch changed what is stored`);
  }
}
