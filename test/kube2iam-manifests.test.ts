// deploy/manifests/kube2iam is what runs in a cluster with kube2iam, with another image.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Command } from 'commander';
import { parse, parseAllDocuments } from 'yaml';
import { addFlags } from '../src/commands/add-flags.ts';
import { booleansOfPflag } from '../src/commands/booleans-of-pflag.ts';
import { describeObsolete, readFlags } from '../src/commands/read-flags.ts';
import { standaloneFlags } from '../src/commands/standalone-flags.ts';
import { readStandaloneSettings } from '../src/commands/standalone-settings.ts';
import { kube2iamContainer, readKube2iamManifest } from './end-to-end/kube2iam-workload.ts';

const environment = { HOST_IP: '10.0.0.1', NODE_NAME: 'node-1' };

function read(args: readonly string[]) {
  const program = new Command();
  const command = addFlags(program.command('standalone').exitOverride(), standaloneFlags);
  const [, ...own] = booleansOfPflag(program, ['standalone', ...args]);
  command.parse(own, { from: 'user' });
  assert.equal(describeObsolete(command, standaloneFlags, {}), undefined);
  return readFlags(command, standaloneFlags, environment);
}

describe('deploy/manifests/kube2iam', () => {
  const daemonSet = parse(readKube2iamManifest('daemonset.yaml'));
  const pod = daemonSet.spec.template.spec;
  const container = kube2iamContainer();

  it("has the names that kube2iam's has, and an image whose command is kube2iam's", () => {
    assert.equal(daemonSet.kind, 'DaemonSet');
    assert.deepEqual([daemonSet.metadata.name, daemonSet.metadata.namespace], ['kube2iam', 'kube-system']);
    assert.deepEqual(daemonSet.spec.selector.matchLabels, daemonSet.spec.template.metadata.labels);
    assert.equal(daemonSet.spec.updateStrategy.type, 'OnDelete');
    assert.equal(pod.hostNetwork, true);
    assert.equal(pod.containers.length, 1);
    assert.equal(container.name, 'kube2iam');
    assert.match(container.image, /^podpass:.*-kube2iam$/);
    assert.equal(container.command, undefined);
  });

  it('has arguments that podpass standalone takes, each with an effect', () => {
    const args = container.args.map((arg) => arg.replace(/\$\((\w+)\)/, (_, name) => `of-${name}`));
    assert.ok(args.includes('--host-ip=of-HOST_IP') && args.includes('--node=of-NODE_NAME'));
    const values = read(args);
    readStandaloneSettings(values);
    assert.equal(values.iptables, true);
    assert.deepEqual(values.hostInterface, ['eni+']);
    assert.equal(values.autoDiscoverBaseArn, true);
    assert.deepEqual(container.env, [
      { name: 'HOST_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      { name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
    ]);
    assert.deepEqual(container.livenessProbe.httpGet, { path: '/healthz', port: values.appPort });
  });

  it('takes no rule away when it ends', () => {
    assert.equal(container.lifecycle, undefined);
    assert.equal(read(container.args).iptablesRemove, false);
  });

  it("gives kube2iam's rights and no other", () => {
    const [account, role, binding] = parseAllDocuments(readKube2iamManifest('rbac.yaml')).map((document) =>
      document.toJS(),
    );
    assert.equal(account.metadata.name, pod.serviceAccountName);
    assert.deepEqual(role.rules, [
      { apiGroups: [''], resources: ['namespaces', 'pods'], verbs: ['get', 'watch', 'list'] },
    ]);
    assert.equal(binding.roleRef.name, role.metadata.name);
    assert.deepEqual(binding.subjects, [
      { kind: 'ServiceAccount', name: account.metadata.name, namespace: account.metadata.namespace },
    ]);
  });
});
