import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Command } from 'commander';
import { parseAllDocuments } from 'yaml';
import { addFlags } from '../src/commands/add-flags.ts';
import { agentFlags, defaultTokenFile } from '../src/commands/agent-flags.ts';
import type { FlagTable } from '../src/commands/flags.ts';
import { readFlags } from '../src/commands/read-flags.ts';
import { serverFlags } from '../src/commands/server-flags.ts';

const folder = join(import.meta.dirname, '..', 'deploy', 'manifests');

interface Container {
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
  readonly securityContext?: unknown;
}
interface Workload {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec: { readonly template: { readonly spec: PodSpec } };
}
interface PodSpec {
  readonly containers: readonly Container[];
  readonly volumes: readonly {
    readonly name: string;
    readonly projected?: {
      readonly sources: readonly {
        readonly serviceAccountToken?: { readonly audience: string; readonly path: string };
      }[];
    };
  }[];
  readonly serviceAccountName?: string;
  readonly automountServiceAccountToken?: boolean;
}

const objects = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.yaml'))
  .flatMap(({ name }) =>
    parseAllDocuments(readFileSync(join(folder, name), 'utf8')).map((d) => d.toJS() as Workload),
  );

const workload = (name: string): PodSpec => {
  const found = objects.find((object) => object.spec?.template && object.metadata.name === name);
  assert.ok(found, `no workload ${name}`);
  return found.spec.template.spec;
};

function parse(table: FlagTable, args: readonly string[]) {
  const command = addFlags(new Command('test').exitOverride(), table);
  command.parse(args.slice(1), { from: 'user' });
  return readFlags(command, table);
}

describe('deploy/manifests', () => {
  const user = { runAsNonRoot: true, runAsUser: 65532, capabilities: { drop: ['ALL'] } };
  const netAdmin = { runAsUser: 0, capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] } };
  const cases: [string, string, FlagTable, object][] = [
    ['podpass-server', 'server', serverFlags, user],
    ['podpass-agent', 'agent', agentFlags, netAdmin],
  ];
  for (const [name, command, flags, privilege] of cases) {
    const [container] = workload(name).containers;
    assert.ok(container?.args);
    const { args } = container;

    it(`starts ${name} with flags that exist and values that are valid`, () => {
      assert.equal(args[0], command);
      parse(flags, args);
    });

    it(`mounts what the flags of ${name} name`, () => {
      const values = parse(flags, args) as Record<string, unknown>;
      const mount = container.volumeMounts?.find(({ name: volume }) => volume === 'tls');
      for (const file of [values.cert, values.key, values.ca]) {
        assert.ok(String(file).startsWith(`${mount?.mountPath}/`), String(file));
      }
      assert.ok(workload(name).volumes.some((volume) => volume.name === 'tls'));
    });

    it(`gives ${name} no privilege but what it needs`, () => {
      assert.deepEqual(container.securityContext, {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        ...privilege,
      });
    });
  }

  it('gives the agent no rights in Kubernetes', () => {
    const agent = workload('podpass-agent');
    assert.equal(agent.automountServiceAccountToken, false);
    const account = agent.serviceAccountName;
    assert.ok(account);
    assert.ok(objects.some(({ kind, metadata }) => kind === 'ServiceAccount' && metadata.name === account));
    assert.ok(!JSON.stringify(objects.filter(({ kind }) => kind.endsWith('RoleBinding'))).includes(account));
    assert.ok(agent.containers[0]?.env?.some(({ name }) => name === 'NODE_NAME'));
  });

  it('shows the server the token of the account that it expects, where the agent looks for it', () => {
    const agent = workload('podpass-agent');
    const { agentServiceAccount } = parse(
      serverFlags,
      workload('podpass-server').containers[0]?.args ?? [],
    ) as {
      agentServiceAccount: string[];
    };
    assert.deepEqual(agentServiceAccount, [`kube-system/${agent.serviceAccountName}`]);
    const mount = agent.containers[0]?.volumeMounts?.find(({ name }) => name === 'token');
    const volume = agent.volumes.find(({ name }) => name === 'token');
    const [source] = volume?.projected?.sources ?? [];
    assert.equal(`${mount?.mountPath}/${source?.serviceAccountToken?.path}`, defaultTokenFile);
    assert.equal(source?.serviceAccountToken?.audience, 'podpass');
  });

  it('has the agent call the server by a name and port that a Service has', () => {
    const values = parse(agentFlags, workload('podpass-agent').containers[0]?.args ?? []) as {
      serverAddress: string[];
    };
    const service = objects.find((object) => object.kind === 'Service');
    assert.ok(service);
    const { ports } = service.spec as unknown as { ports: { port: number }[] };
    const { name, namespace } = service.metadata;
    assert.deepEqual(values.serverAddress, [`${name}.${namespace}.svc:${ports[0]?.port}`]);
  });
});
