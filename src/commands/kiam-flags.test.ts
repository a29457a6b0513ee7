import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Command } from 'commander';
import { parseDuration } from '../base/duration.ts';
import { addFlags } from './add-flags.ts';
import { agentFlags } from './agent-flags.ts';
import type { Flag, FlagTable } from './flags.ts';
import { healthFlags } from './health-flags.ts';
import { describeObsolete, type Environment, readFlags } from './read-flags.ts';
import { serverFlags } from './server-flags.ts';

type Process = 'agent' | 'server' | 'health';
type Type = 'bool' | 'string' | 'file' | 'enum' | 'int' | 'duration';

const tables: Readonly<Record<Process, FlagTable>> = {
  agent: agentFlags,
  server: serverFlags,
  health: healthFlags,
};

const all: readonly Process[] = ['agent', 'server', 'health'];
const both: readonly Process[] = ['agent', 'server'];
const clients: readonly Process[] = ['agent', 'health'];

/** Every flag of kiam 4.2's commands, as its parser has them. No default means that it has none, or an empty one. */
const kiamFlags: readonly [processes: readonly Process[], name: string, type: Type, byDefault?: string][] = [
  [all, 'json-log', 'bool', 'false'],
  [all, 'level', 'enum', 'info'],
  [all, 'cert', 'file'],
  [all, 'key', 'file'],
  [all, 'ca', 'file'],
  [both, 'prometheus-listen-addr', 'string'],
  [both, 'prometheus-sync-interval', 'duration', '5s'],
  [both, 'pprof-listen-addr', 'string'],
  [clients, 'server-address', 'string', 'localhost:9610'],
  [clients, 'server-address-refresh', 'duration', '0s'],
  [clients, 'gateway-timeout-creation', 'duration', '1s'],
  [all, 'grpc-keepalive-time-duration', 'duration', '10s'],
  [all, 'grpc-keepalive-timeout-duration', 'duration', '2s'],
  [clients, 'grpc-keepalive-permit-without-stream', 'bool', 'false'],
  [['agent'], 'port', 'int', '3100'],
  [['agent'], 'allow-ip-query', 'bool', 'false'],
  [['agent'], 'allow-route-regexp', 'string', '^$'],
  [['agent'], 'iptables', 'bool', 'false'],
  [['agent'], 'iptables-remove', 'bool', 'true'],
  [['agent'], 'host', 'string'],
  [['agent'], 'host-interface', 'string', 'docker0'],
  [['server'], 'bind', 'string', 'localhost:9610'],
  [['server'], 'kubeconfig', 'string'],
  [['server'], 'fetchers', 'int', '8'],
  [['server'], 'prefetch-buffer-size', 'int', '1000'],
  [['server'], 'sync', 'duration', '1m'],
  [['server'], 'role-base-arn', 'string'],
  [['server'], 'role-base-arn-autodetect', 'bool', 'false'],
  [['server'], 'disable-strict-namespace-regexp', 'bool', 'false'],
  [['server'], 'session', 'string', 'kiam'],
  [['server'], 'session-duration', 'duration', '15m'],
  [['server'], 'session-refresh', 'duration', '5m'],
  [['server'], 'assume-role-arn', 'string'],
  [['server'], 'region', 'string'],
  [['server'], 'grpc-max-connection-idle-duration', 'duration', '15m'],
  [['server'], 'grpc-max-connection-age-duration', 'duration', '15m'],
  [['server'], 'grpc-max-connection-age-grace-duration', 'duration', '15m'],
  [['health'], 'timeout', 'duration', '1s'],
];

/** Names that kiam 3 had and kiam 4 has not. */
const olderFlags: readonly [processes: readonly Process[], name: string, type: Type][] = [
  [all, 'grpc-keepalive-time-ms', 'duration'],
  [all, 'grpc-keepalive-timeout-ms', 'duration'],
  [['agent'], 'whitelist-route-regexp', 'string'],
  [both, 'statsd', 'string'],
  [both, 'statsd-prefix', 'string'],
  [both, 'statsd-interval', 'duration'],
];

/** Defaults that differ on purpose: docs/differences-from-kiam.md says why. */
const otherDefaults: Readonly<Record<string, unknown>> = {
  'session-duration': 3_600_000,
  'iptables-remove': false,
};

const wrong: Readonly<Record<Type, string | undefined>> = {
  bool: undefined,
  string: undefined,
  file: undefined,
  enum: 'loud',
  int: 'many',
  duration: '1d',
};
const right: Readonly<Record<Type, string | undefined>> = {
  bool: undefined,
  string: 'x',
  file: 'x',
  enum: 'warn',
  int: '7',
  duration: '1h30m',
};

const required = { PODPASS_CERT: 'c', PODPASS_KEY: 'k', PODPASS_CA: 'a' };

function parse(process: Process, args: readonly string[], env: Environment = required) {
  const table = tables[process];
  const command = addFlags(
    new Command(process).exitOverride().configureOutput({ writeErr: () => {} }),
    table,
  );
  command.parse(args, { from: 'user' });
  return {
    values: readFlags(command, table, env) as Readonly<Record<string, unknown>>,
    notice: describeObsolete(command, table, env),
  };
}

function definitionOf(process: Process, name: string): Flag<unknown> {
  const found = Object.values(tables[process]).find(
    (definition) => definition.name === name || definition.renamed?.includes(name),
  );
  assert.ok(found, `${process} has no --${name}`);
  return found;
}

function defaultOf(type: Type, text: string | undefined): unknown {
  if (text === undefined) return undefined;
  if (type === 'bool') return text === 'true';
  if (type === 'int') return Number(text);
  return type === 'duration' ? parseDuration(text) : text;
}

describe("kiam's flags", () => {
  for (const [processes, name, type, byDefault] of kiamFlags) {
    for (const process of processes) {
      it(`${process} --${name} has kiam's type and default, or another one that is documented`, () => {
        const definition = definitionOf(process, name);
        const expected = otherDefaults[name] ?? defaultOf(type, byDefault);
        // Where kiam takes one value we may take several.
        const actual = definition.repeated ? String(definition.default) || undefined : definition.default;
        assert.deepEqual(actual, expected);
        assert.equal(definition.required ?? false, type === 'file');
      });
    }
  }

  for (const [processes, name, type] of [...kiamFlags, ...olderFlags]) {
    for (const process of processes) {
      it(`${process} --${name} is a ${type}`, () => {
        if (type === 'bool') {
          parse(process, [`--${name}`]);
          parse(process, [`--no-${name}`]);
          assert.throws(() => parse(process, [`--${name}=true`]));
          return;
        }
        parse(process, [`--${name}=${right[type]}`]);
        parse(process, [`--${name}`, right[type] ?? '']);
        assert.throws(() => parse(process, [`--no-${name}`]));
        const bad = wrong[type];
        if (bad !== undefined)
          assert.throws(() => parse(process, [`--${name}=${bad}`]), { message: new RegExp(`^--${name} "`) });
      });
    }
  }

  for (const [processes, name] of olderFlags) {
    for (const process of processes) {
      it(`${process} --${name}, of older versions, is taken and named in the warning`, () => {
        const value = name.includes('statsd-p') || name.includes('regexp') ? 'x' : '1s';
        assert.match(parse(process, [`--${name}=${value}`]).notice ?? '', new RegExp(`--${name}`));
      });
    }
  }

  it('of older versions act under their new names', () => {
    const { values } = parse('agent', ['--grpc-keepalive-time-ms=20000', '--whitelist-route-regexp=^/x$']);
    assert.equal(values.grpcKeepaliveTimeDuration, 20_000);
    assert.equal(values.allowRouteRegexp, '^/x$');
  });
});

const tls = ['--cert=/etc/kiam/tls/x.pem', '--key=/etc/kiam/tls/x-key.pem', '--ca=/etc/kiam/tls/ca.pem'];
const metrics = ['--prometheus-listen-addr=0.0.0.0:9620', '--prometheus-sync-interval=5s'];

/** What kiam's own manifests and its chart give. */
const shipped: readonly [title: string, Process, readonly string[], notice: RegExp | undefined][] = [
  [
    'the agent of the manifests',
    'agent',
    [
      ...['--iptables', '--host-interface=cali+', '--json-log', '--port=8181', ...tls],
      ...['--server-address=kiam-server:443', ...metrics, '--gateway-timeout-creation=1s'],
    ],
    /--prometheus-sync-interval, because .*--gateway-timeout-creation, because/,
  ],
  [
    'the server of the manifests',
    'server',
    [
      ...['--json-log', '--level=warn', '--bind=0.0.0.0:443', ...tls],
      ...['--role-base-arn-autodetect', '--sync=1m', ...metrics],
    ],
    /--prometheus-sync-interval, because .*--sync, because/,
  ],
  [
    'the probes of the manifests',
    'health',
    [...tls, '--server-address=127.0.0.1:443', '--timeout=5s', '--gateway-timeout-creation=1s'],
    undefined,
  ],
  [
    'the agent of the chart',
    'agent',
    [
      ...['--no-iptables-remove', '--json-log', '--level=info', '--port=8181', ...tls],
      ...['--server-address=kiam-server:443', ...metrics, '--gateway-timeout-creation=1s'],
      ...['--allow-route-regexp=^/latest/dynamic/instance-identity/document$', '--host-interface=cali+'],
    ],
    /--prometheus-sync-interval/,
  ],
  [
    'the probes of the chart',
    'health',
    [
      ...[...tls, '--server-address=127.0.0.1:443', '--server-address-refresh=2s'],
      ...['--timeout=5s', '--gateway-timeout-creation=1s'],
    ],
    /^these flags have no effect here: --server-address-refresh, because [^;]+; remove them$/,
  ],
];

describe("kiam's argument lists", () => {
  for (const [title, process, args, notice] of shipped) {
    it(`start ${title}, with one line about what has no effect`, () => {
      const outcome = parse(process, args, { HOST_IP: '10.0.0.1' });
      if (notice === undefined) assert.equal(outcome.notice, undefined);
      else {
        assert.match(outcome.notice ?? '', notice);
        assert.doesNotMatch(outcome.notice ?? '', /\n/);
      }
    });
  }

  it('mean what they say', () => {
    const [, , args] = shipped[0] ?? assert.fail();
    const { values } = parse('agent', args, { HOST_IP: '10.0.0.1' });
    assert.equal(values.iptables, true);
    assert.deepEqual(values.hostInterface, ['cali+']);
    assert.deepEqual(values.host, ['10.0.0.1']);
    assert.equal(values.port, 8181);
    assert.deepEqual(values.serverAddress, ['kiam-server:443']);
  });
});
