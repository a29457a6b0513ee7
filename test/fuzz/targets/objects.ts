import { readStatusFailure } from '../../../src/cluster/api-status.ts';
import { projectNamespace } from '../../../src/cluster/namespaces.ts';
import { projectNode } from '../../../src/cluster/nodes.ts';
import { projectPod } from '../../../src/cluster/pods.ts';
import { describeRaw } from '../../../src/cluster/project-object.ts';
import { compareResourceVersions, newerResourceVersion } from '../../../src/cluster/resource-version.ts';
import { readWatchEvent } from '../../../src/cluster/watch-event.ts';
import { canonicalAddress } from '../../../src/identity/address.ts';
import { type AddressOwner, createAddressIndex } from '../../../src/identity/address-index.ts';
import { textOf } from '../engine/text.ts';
import { type FuzzTarget, holds } from '../fuzz-target.ts';

const metadata = {
  uid: 'u-1',
  name: 'web',
  namespace: 'shop',
  resourceVersion: '10',
  annotations: { 'iam.amazonaws.com/role': 'reader' },
};
const pod = {
  metadata,
  spec: { nodeName: 'node-1', serviceAccountName: 'default', hostNetwork: false },
  status: {
    phase: 'Running',
    podIP: '10.0.0.1',
    podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }],
    hostIP: '10.1.0.1',
  },
};
const node = {
  metadata: { ...metadata, annotations: { 'projectcalico.org/IPv4Address': '10.1.0.1/24' } },
  spec: { podCIDR: '10.0.0.0/24', podCIDRs: ['10.0.0.0/24', 'fd00::/64'] },
  status: { addresses: [{ type: 'InternalIP', address: '10.1.0.1' }] },
};
const keep = new Set(['iam.amazonaws.com/role', 'constructor']);

export const target: FuzzTarget = {
  name: 'objects',
  about:
    'objects and events of the Kubernetes API, of any shape: projected within bounds, or skipped, and nothing thrown',
  maxBytes: 4_096,
  seeds: [
    JSON.stringify({ type: 'ADDED', object: pod }),
    JSON.stringify({ type: 'MODIFIED', object: node }),
    JSON.stringify({
      type: 'BOOKMARK',
      object: { metadata: { resourceVersion: '11', annotations: { 'k8s.io/initial-events-end': 'true' } } },
    }),
    JSON.stringify({
      type: 'ERROR',
      object: {
        kind: 'Status',
        code: 410,
        reason: 'Expired',
        message: 'too old',
        details: { retryAfterSeconds: 3 },
      },
    }),
    JSON.stringify({
      type: 'DELETED',
      object: { metadata: { ...metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } },
    }),
  ],
  dictionary: [
    '"__proto__":',
    '"constructor":',
    '"toString":',
    '[{"ip":',
    '{"ip":1}',
    'null',
    '[]',
    '{}',
    '1e400',
    '"\\ud800"',
    '"deletionTimestamp":',
  ],
  open: () => ({
    run(input) {
      let line: unknown;
      try {
        line = JSON.parse(textOf(input));
      } catch {
        line = textOf(input);
      }
      const event = readWatchEvent(line);
      if (event.kind === 'error') checkFailure(event.failure);
      checkFailure(readStatusFailure(line, 403, textOf(input).slice(0, 20)));
      const raw = event.kind === 'change' ? event.object : line;
      holds(describeRaw(raw).length <= 507, 'a description is too long');
      checkPod(raw);
      checkIdentity(projectNamespace(raw, keep));
      const found = projectNode(raw);
      checkIdentity(found);
      if (found) checkTexts([...found.addresses, ...found.podCIDRs], 64, 64);
      if (event.kind === 'change' || event.kind === 'bookmark') checkVersions(event.resourceVersion);
      holds(Object.keys(Object.prototype).length === 0, 'every object has a new member');
    },
  }),
};

function checkPod(raw: unknown): void {
  const found = projectPod(raw, keep);
  checkIdentity(found);
  if (!found) return;
  checkTexts(found.podIPs, 16, 64);
  checkTexts(found.hostIPs, 16, 64);
  checkTexts([found.nodeName, found.serviceAccountName], 2, 253);
  checkTexts(Object.values(found.annotations), keep.size, 16_385);
  holds(typeof found.hostNetwork === 'boolean' && typeof found.terminating === 'boolean', 'a flag is none');
  // Whoever asks at an address that the object names is either this pod or unknown.
  const addresses = found.podIPs.flatMap((address) => canonicalAddress(address) ?? []);
  const index = createAddressIndex<AddressOwner>();
  const item: AddressOwner = { uid: found.uid, addresses };
  index.upsert(item);
  for (const address of addresses) {
    const owner = index.find(address);
    holds(owner.kind === 'found' && owner.item === item, 'an address does not lead to its pod');
  }
  index.remove(item.uid);
  for (const address of addresses)
    holds(index.find(address).kind === 'unknown', 'an address outlives its pod');
}

function checkIdentity(
  found: { uid: string; name: string; namespace: string; resourceVersion: string } | undefined,
): void {
  if (!found) return;
  checkTexts([found.uid, found.name, found.namespace, found.resourceVersion], 4, 253);
  holds(
    found.uid !== '' && found.name !== '' && found.resourceVersion !== '',
    'an object without identity was kept',
  );
}

function checkTexts(texts: readonly unknown[], most: number, longest: number): void {
  holds(texts.length <= most, `${texts.length} texts, more than ${most}`);
  for (const text of texts)
    holds(typeof text === 'string' && text.length <= longest, `${JSON.stringify(text)} is no short text`);
}

function checkFailure({
  status,
  message,
  reason,
  retryAfterMillis = 1,
}: ReturnType<typeof readStatusFailure>): void {
  holds(Number.isInteger(status), `the status is ${status}`);
  holds(
    Buffer.byteLength(message) <= 1_024 && message !== '' && !/[\r\n]/.test(message),
    'the message is not one short line',
  );
  holds(
    reason.length <= 128 && retryAfterMillis > 0 && retryAfterMillis <= 120_000,
    `waits ${retryAfterMillis} ms`,
  );
}

function checkVersions(version: string): void {
  for (const other of ['', '9', '10', '18446744073709551616', version, `${version}0`]) {
    const order = compareResourceVersions(version, other);
    const back = compareResourceVersions(other, version);
    holds(
      order === undefined
        ? back === undefined
        : Math.sign(order) === -Math.sign(back ?? Number.NaN) || order === 0,
      `${version} and ${other} have no order`,
    );
    if (order !== undefined && order !== 0) {
      holds(
        Math.sign(order) === (BigInt(version) > BigInt(other) ? 1 : -1),
        `${version} and ${other} are in the wrong order`,
      );
      holds(
        newerResourceVersion(version, other) === newerResourceVersion(other, version),
        'the newer of two depends on their order',
      );
    }
  }
}
