import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { awsCliRequirements } from '../../src/sandbox/aws-cli.ts';
import { goParts } from './go-parts.ts';
import { kiamPeerPart } from './kiam-peer.ts';
import { pinnedVersion, pythonParts, requirementsFile } from './python.ts';

const goMod = readFileSync(join(import.meta.dirname, 'kube-apiserver/go.mod'), 'utf8');
const requirements = readFileSync(requirementsFile, 'utf8');
const versionOf = (name: string) =>
  [...goParts, kiamPeerPart, ...pythonParts]
    .find((part) => part.name === name)
    ?.version.split(' ')
    .at(-1) ?? 'none';

describe('the Go module', () => {
  it('requires the versions that the catalogue names', () => {
    assert.ok(goMod.includes(`k8s.io/kubernetes v${versionOf('kube-apiserver')}\n`));
    assert.ok(goMod.includes(`go.etcd.io/etcd/server/v3 v${versionOf('etcd')}\n`));
  });

  it("replaces all of Kubernetes' own modules by the release that goes with it", () => {
    const library = `v0${versionOf('kube-apiserver').slice(1)}`;
    const replaces = Array.from(goMod.matchAll(/^\t(k8s\.io\/\S+) => (\S+) (\S+)$/gm));
    assert.equal(replaces.length, 31);
    for (const [, from, to, version] of replaces) assert.deepEqual([to, version], [from, library]);
  });
});

describe("kiam's peer", () => {
  it('is built on the gRPC library that the catalogue names', () => {
    const peerMod = readFileSync(join(import.meta.dirname, 'kiam-peer/go.mod'), 'utf8');
    assert.ok(peerMod.includes(`google.golang.org/grpc v${versionOf('kiam-peer')}\n`));
  });
});

describe('requirements.txt', () => {
  it('pins every distribution to one version', () => {
    const lines = requirements.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    assert.ok(lines.length > 50);
    for (const line of lines) assert.match(line, /^[A-Za-z0-9_.-]+==[0-9][0-9a-z.]*$/);
  });

  it('has the same AWS CLI as the sandbox brings, down to the last dependency', () => {
    const lines = new Set(requirements.split('\n'));
    for (const requirement of awsCliRequirements) assert.ok(lines.has(requirement), requirement);
  });

  it('has boto3 and botocore of one release, which botocore asks for', () => {
    assert.equal(pinnedVersion('boto3', requirements), pinnedVersion('botocore', requirements));
  });
});

describe('pinnedVersion', () => {
  it('does not take one distribution for another whose name starts alike', () => {
    assert.equal(pinnedVersion('moto', 'moto-ext==1.0\nmoto==5.2.5\n'), '5.2.5');
    assert.throws(() => pinnedVersion('mot', 'moto==5.2.5\n'), /mot is not in requirements\.txt/);
  });
});
