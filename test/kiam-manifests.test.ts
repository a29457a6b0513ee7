// deploy/manifests/kiam is what runs in a cluster with kiam, with another image: what names, ports and paths a cluster
// has for kiam must find the same here.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Command } from 'commander';
import { parseAllDocuments } from 'yaml';
import { addFlags } from '../src/commands/add-flags.ts';
import { agentFlags } from '../src/commands/agent-flags.ts';
import type { FlagTable } from '../src/commands/flags.ts';
import { healthFlags } from '../src/commands/health-flags.ts';
import { readFlags } from '../src/commands/read-flags.ts';
import { serverFlags } from '../src/commands/server-flags.ts';
import { type KiamContainer, readKiamManifest } from './end-to-end/kiam-workload.ts';

interface Workload {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: {
    readonly updateStrategy?: { readonly type: string };
    readonly template: {
      readonly spec: {
        readonly hostNetwork?: boolean;
        readonly serviceAccountName?: string;
        readonly containers: readonly (KiamContainer & {
          readonly env?: readonly object[];
          readonly securityContext: object;
          readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
        })[];
        readonly volumes: readonly { readonly name: string; readonly secret?: { secretName: string } }[];
      };
    };
  };
}

function parse(table: FlagTable, args: readonly string[]): Readonly<Record<string, unknown>> {
  const command = addFlags(new Command('test').exitOverride(), table);
  command.parse(args, { from: 'user' });
  return readFlags(command, table, {}) as Readonly<Record<string, unknown>>;
}

const read = (file: string): Workload => parseAllDocuments(readKiamManifest(file))[0]?.toJS();

const cases = [
  { file: 'agent.yaml', kind: 'DaemonSet', half: 'agent', flags: agentFlags, update: 'OnDelete' },
  {
    file: 'server.daemonset.yaml',
    kind: 'DaemonSet',
    half: 'server',
    flags: serverFlags,
    update: 'RollingUpdate',
  },
  {
    file: 'server.deployment.yaml',
    kind: 'Deployment',
    half: 'server',
    flags: serverFlags,
    update: undefined,
  },
] as const;

describe('deploy/manifests/kiam', () => {
  for (const { file, kind, half, flags, update } of cases) {
    const { metadata, spec, ...workload } = read(file);
    const pod = spec.template.spec;
    const [container, ...others] = pod.containers;
    assert.ok(container);

    it(`has in ${file} the names that kiam's has, and podpass' image`, () => {
      assert.equal(workload.kind, kind);
      assert.deepEqual(metadata, { name: `kiam-${half}`, namespace: 'kube-system' });
      assert.equal(spec.updateStrategy?.type, update);
      assert.deepEqual(others, []);
      assert.equal(container.name, 'kiam');
      assert.match(container.image, /^podpass:/);
      assert.deepEqual(container.command, ['/kiam']);
      assert.equal(container.args[0], half);
      assert.equal(pod.serviceAccountName, half === 'server' ? 'kiam-server' : undefined);
      assert.equal(pod.hostNetwork, half === 'agent' ? true : undefined);
    });

    it(`has in ${file} arguments that podpass ${half} takes`, () => {
      const values = parse(flags, container.args.slice(1));
      const { cert, key, ca } = values;
      const folder = '/etc/kiam/tls';
      assert.deepEqual(
        [cert, key, ca],
        [`${folder}/${half}.pem`, `${folder}/${half}-key.pem`, `${folder}/ca.pem`],
      );
      const mount = container.volumeMounts.find(({ mountPath }) => mountPath === folder);
      const volume = pod.volumes.find(({ name }) => name === mount?.name);
      assert.equal(volume?.secret?.secretName, `kiam-${half}-tls`);
    });

    it(`gives in ${file} the capabilities that kiam has`, () => {
      const add = half === 'agent' ? ['NET_ADMIN', 'NET_RAW'] : ['NET_BIND_SERVICE'];
      assert.deepEqual(container.securityContext, { capabilities: { drop: ['ALL'], add } });
    });

    if (half === 'server') {
      it(`probes the server of ${file} with a command that podpass has`, () => {
        for (const probe of [container.livenessProbe, container.readinessProbe]) {
          const [program, command, ...args] = probe?.exec?.command ?? [];
          assert.deepEqual([program, command], ['/kiam', 'health']);
          assert.deepEqual(parse(healthFlags, args).serverAddress, ['127.0.0.1:443']);
        }
      });
    }
  }

  it('has the agent install its rule, and serve where its probe asks', () => {
    const [agent] = read('agent.yaml').spec.template.spec.containers;
    assert.ok(agent);
    const values = parse(agentFlags, agent.args.slice(1));
    assert.equal(values.iptables, true);
    assert.deepEqual(values.hostInterface, ['cali+']);
    assert.equal(values.port, 8181);
    assert.deepEqual(agent.livenessProbe?.httpGet, { path: '/ping', port: 8181 });
    assert.deepEqual(agent.env, [
      { name: 'HOST_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
    ]);
  });

  it('has a Service by the name and port that the agent calls', () => {
    const [agent] = read('agent.yaml').spec.template.spec.containers;
    const service = parseAllDocuments(readKiamManifest('service.yaml'))[0]?.toJS();
    const [{ name, port }] = service.spec.ports;
    assert.equal(name, 'grpclb');
    assert.equal(service.spec.clusterIP, 'None');
    const values = parse(agentFlags, agent?.args.slice(1) ?? []);
    assert.deepEqual(values.serverAddress, [`${service.metadata.name}:${port}`]);
  });
});
