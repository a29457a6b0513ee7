import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Command } from 'commander';
import { parseDuration } from '../base/duration.ts';
import { addFlags } from './add-flags.ts';
import { booleansOfPflag } from './booleans-of-pflag.ts';
import { describeObsolete, type Environment, readFlags } from './read-flags.ts';
import { standaloneFlags } from './standalone-flags.ts';
import { readStandaloneSettings } from './standalone-settings.ts';

type Type = 'bool' | 'string' | 'port' | 'enum' | 'duration';
type Here = 'acts' | 'retired';

/** Every flag of kube2iam 0.15, as its parser has them. No default means an empty one. */
const kube2iamFlags: readonly [name: string, type: Type, byDefault: string | undefined, here?: Here][] = [
  ['kubeconfig', 'string', undefined],
  ['api-server', 'string', undefined],
  ['api-token', 'string', undefined],
  ['app-port', 'port', '8181'],
  ['metrics-port', 'port', '8181'],
  ['base-role-arn', 'string', undefined],
  ['debug', 'bool', 'false'],
  ['default-role', 'string', undefined],
  ['iam-role-key', 'string', 'iam.amazonaws.com/role'],
  ['iam-external-id', 'string', 'iam.amazonaws.com/external-id'],
  ['iam-role-session-ttl', 'duration', '15m'],
  ['iam-role-error-ttl', 'duration', '0s', 'retired'],
  ['insecure', 'bool', 'false'],
  ['metadata-addr', 'string', '169.254.169.254'],
  ['iptables', 'bool', 'false'],
  ['auto-discover-base-arn', 'bool', 'false'],
  ['auto-discover-default-role', 'bool', 'false'],
  ['host-interface', 'string', undefined],
  ['namespace-restrictions', 'bool', 'false'],
  ['namespace-restriction-format', 'enum', 'glob'],
  ['namespace-key', 'string', 'iam.amazonaws.com/allowed-roles'],
  ['cache-resync-period', 'duration', '30m', 'retired'],
  ['resolve-duplicate-cache-ips', 'bool', 'false', 'retired'],
  ['host-ip', 'string', undefined],
  ['node', 'string', undefined],
  ['backoff-max-interval', 'duration', '1s', 'retired'],
  ['backoff-max-elapsed-time', 'duration', '2s', 'retired'],
  ['log-format', 'string', 'text'],
  ['log-level', 'enum', 'info'],
  ['use-regional-sts-endpoint', 'bool', 'false', 'retired'],
  ['verbose', 'bool', 'false'],
  ['version', 'bool', 'false'],
];

const right: Readonly<Record<Exclude<Type, 'bool' | 'enum'>, string>> = {
  string: 'x',
  port: '9000',
  duration: '1h30m',
};
const enums: Readonly<Record<string, readonly string[]>> = {
  'namespace-restriction-format': ['glob', 'regexp', 'RegExp'],
  'log-level': ['panic', 'fatal', 'error', 'warn', 'warning', 'info', 'debug', 'trace', 'INFO'],
};

function parse(args: readonly string[], env: Environment = {}) {
  const program = new Command();
  const command = program
    .command('standalone')
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  addFlags(command, standaloneFlags);
  const [, ...own] = booleansOfPflag(program, ['standalone', ...args]);
  command.parse(own, { from: 'user' });
  return {
    values: readFlags(command, standaloneFlags, env),
    notice: describeObsolete(command, standaloneFlags, env),
  };
}

function definitionOf(name: string) {
  const found = Object.values(standaloneFlags).find((definition) => definition.name === name);
  return found ?? assert.fail(`there is no --${name}`);
}

function defaultOf(type: Type, text: string | undefined): unknown {
  if (text === undefined) return undefined;
  if (type === 'bool') return text === 'true';
  if (type === 'port') return Number(text);
  return type === 'duration' ? parseDuration(text) : text;
}

describe("kube2iam's flags", () => {
  for (const [name, type, byDefault, here = 'acts'] of kube2iamFlags) {
    it(`--${name} has kube2iam's type and default, and ${here === 'acts' ? 'acts' : 'is named as of no effect'}`, () => {
      const definition = definitionOf(name);
      // Where kube2iam takes one value we may take several. --host-interface alone has another default: docker0 there.
      const actual = Array.isArray(definition.default)
        ? definition.default.join() || undefined
        : definition.default;
      assert.deepEqual(actual, defaultOf(type, byDefault));
      assert.equal('retired' in definition, here === 'retired');

      const values =
        type === 'enum' ? (enums[name] ?? []) : type === 'bool' ? ['true', 'false'] : [right[type]];
      for (const value of values) {
        const { notice } = parse([`--${name}=${value}`]);
        assert.equal(notice?.includes(`-${name}, because`) ?? false, here === 'retired');
        if (type !== 'bool') parse([`--${name}`, value]);
      }
      if (type === 'bool') parse([`--${name}`]);
      if (type !== 'string') assert.throws(() => parse([`--${name}=maybe`]));
    });
  }

  it('are all there is in the table', () => assert.equal(kube2iamFlags.length, 32));

  it('that are booleans take a value after an equals sign, and no other', () => {
    const cases: [args: string[], expected: boolean][] = [
      [['--iptables'], true],
      [['--iptables=true'], true],
      [['--iptables=1'], true],
      [['--iptables=false'], false],
      [['--iptables', '--iptables=F'], false],
      [['--iptables=false', '--iptables'], true],
    ];
    for (const [args, expected] of cases) assert.equal(parse(args).values.iptables, expected, args.join(' '));
    // kube2iam would install the rule here, and whoever wrote it did not mean that.
    assert.throws(() => parse(['--iptables', 'false']));
  });

  it('read HOST_IP and NODE_NAME, which kube2iam says and does not', () => {
    const { values } = parse([], { HOST_IP: '10.0.0.1', NODE_NAME: 'node-1' });
    assert.deepEqual(values.hostIp, ['10.0.0.1']);
    assert.equal(values.node, 'node-1');
    assert.equal(parse(['--node=other'], { NODE_NAME: 'node-1' }).values.node, 'other');
  });
});

const environment = { HOST_IP: '10.0.0.1', NODE_NAME: 'node-1' };

/** What kube2iam's chart, kustomization and examples give, after Kubernetes has filled in the variables. */
const shipped: readonly [title: string, args: readonly string[]][] = [
  [
    'the chart by its defaults',
    [
      ...['--host-interface=docker0', '--node=node-1', '--iptables=false'],
      ...['--app-port=8181', '--metrics-port=8181'],
    ],
  ],
  [
    'the chart with the rule, extra arguments and a port of its own for metrics',
    [
      ...['--host-interface=eni+', '--node=node-1', '--host-ip=10.0.0.1', '--iptables=true'],
      ...['--base-role-arn=arn:aws:iam::123456789012:role/', '--default-role=kube2iam-default', '--verbose'],
      ...['--namespace-restrictions=true', '--namespace-restriction-format=regexp'],
      ...['--app-port=8181', '--metrics-port=9543'],
    ],
  ],
  ['the kustomization', ['--host-ip=10.0.0.1', '--iptables=true', '--node=node-1']],
  [
    'the kustomization with Calico',
    [
      ...['--auto-discover-default-role', '--host-interface=cali+', '--host-ip=10.0.0.1', '--iptables=true'],
      ...['--node=node-1', '--verbose'],
    ],
  ],
  [
    'the example of EKS',
    [
      ...['--auto-discover-base-arn', '--auto-discover-default-role=true', '--iptables=true'],
      ...['--host-ip=10.0.0.1', '--node=node-1', '--host-interface=eni+'],
    ],
  ],
  [
    "kube2iam's own end-to-end test",
    [
      ...['--app-port=8181', '--iptables=false', '--metadata-addr=127.0.0.1:1338'],
      ...['--base-role-arn=arn:aws:iam::123456789012:role/', '--iam-role-key=iam.amazonaws.com/role'],
      ...['--host-ip=10.0.0.1', '--node=node-1', '--host-interface=eth+', '--log-level=debug'],
    ],
  ],
];

describe("kube2iam's argument lists", () => {
  for (const [title, args] of shipped) {
    it(`start ${title} unchanged, with nothing in it of no effect`, () => {
      const { values, notice } = parse(args, environment);
      assert.equal(notice, undefined);
      readStandaloneSettings(values);
      assert.equal(values.node, 'node-1');
      assert.equal(values.iptables, args.includes('--iptables=true'));
    });
  }
});
