import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { projectRoot } from '../parts/locations.ts';
import type { PlayedNode } from './played-kubelet.ts';

/** The parts of kube2iam's pod template that say what runs. */
export interface Kube2iamContainer {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args: readonly string[];
  readonly env: readonly object[];
  readonly lifecycle?: object;
  readonly livenessProbe: { readonly httpGet: { readonly path: string; readonly port: number } };
  readonly securityContext: object;
}

export const kube2iamImage = 'example.invalid/kube2iam:0.15.0';

/** What kube2iam's documents and chart add: it deletes every rule with this address in it. */
export const preStop = {
  exec: {
    command: [
      '/bin/sh',
      '-c',
      "eval `iptables-save | grep 169.254.169.254 | sed s/-A/'iptables -t nat -D'/g`",
    ],
  },
};

export function readKube2iamManifest(name: 'rbac.yaml' | 'daemonset.yaml'): string {
  return readFileSync(join(projectRoot, 'deploy', 'manifests', 'kube2iam', name), 'utf8');
}

export function kube2iamContainer(): Kube2iamContainer {
  const [container] = parse(readKube2iamManifest('daemonset.yaml')).spec.template.spec.containers;
  assert.ok(container);
  return container;
}

/** What kube2iam runs with in a cluster that restricts namespaces. */
export function argumentsBefore(): string[] {
  return [...kube2iamContainer().args, '--namespace-restrictions'];
}

/** The DaemonSet of that cluster. */
export function kube2iamBefore(): string {
  const object = parse(readKube2iamManifest('daemonset.yaml'));
  const [container] = object.spec.template.spec.containers;
  container.image = kube2iamImage;
  container.args = argumentsBefore();
  container.lifecycle = { preStop };
  return JSON.stringify(object);
}

/** Arguments as kubelet passes them on: with the variables of the manifest filled in. */
export function expand(args: readonly string[], node: PlayedNode): string[] {
  return args.map((arg) => arg.replace('$(HOST_IP)', node.hostIP).replace('$(NODE_NAME)', node.name));
}

/** What makes rules: there is no network namespace here. test/network has those tests. */
const ofTheRule = ['--iptables', '--iptables-remove', '--firewall'];

/** The same for a process on loopback: all but the rule, and with these besides. */
export function onLoopback(args: readonly string[], besides: readonly string[]): string[] {
  return [
    ...args.filter((arg) => !ofTheRule.includes(arg.split('=')[0] ?? '')),
    '--listen-host=127.0.0.1',
    ...besides,
  ];
}
