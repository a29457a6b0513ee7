import { Command, CommanderError } from 'commander';
import { PodpassError } from '../../../src/base/errors.ts';
import { addFlags } from '../../../src/commands/add-flags.ts';
import { agentFlags } from '../../../src/commands/agent-flags.ts';
import { booleansOfPflag } from '../../../src/commands/booleans-of-pflag.ts';
import type { FlagTable } from '../../../src/commands/flags.ts';
import { describeObsolete, readFlags } from '../../../src/commands/read-flags.ts';
import { serverFlags } from '../../../src/commands/server-flags.ts';
import { standaloneFlags } from '../../../src/commands/standalone-flags.ts';
import { readStandaloneSettings, type StandaloneFlags } from '../../../src/commands/standalone-settings.ts';
import { textOf } from '../engine/text.ts';
import { type FuzzTarget, holds } from '../fuzz-target.ts';

const tables: Readonly<Record<string, FlagTable>> = {
  agent: agentFlags,
  server: serverFlags,
  standalone: standaloneFlags,
};

/** An argument on each line, the command first; lines that begin with `$` are variables. Nothing is started. */
export const target: FuzzTarget = {
  name: 'flags',
  about:
    'command lines and variables of agent, server and standalone: typed values, or an error that names the flag',
  maxBytes: 600,
  seeds: [
    'agent\n--port=3100\n--host=10.0.0.1\n--iptables\n--host-interface=cali+\n--cert=a\n--key=b\n--ca=c\n--server-address=s:443',
    'server\n--role-base-arn-autodetect\n--session-duration=1h30m\n--sync=1m\n--bind=:443\n--cert=a\n--key=b\n--ca=c\n--whitelist-route-regexp=x',
    'standalone\n--iptables=true\n--host-ip=10.0.0.1\n--node=n\n--base-role-arn=arn:aws:iam::123456789012:role/\n--metadata-addr=169.254.169.254',
    'agent\n$PODPASS_PORT=tcp://10.0.0.1:443\n$HOST_IP=10.0.0.1\n--no-iptables\n--imds=v2-required',
    'standalone\n--verbose\n--log-format=json\n--iam-role-session-ttl=15m\n--namespace-restriction-format=regexp',
  ],
  dictionary: [
    '--',
    '--no-',
    '=',
    '\n$PODPASS_',
    '\n--',
    '=true',
    '=99999999999',
    '=1h',
    ':0',
    '--help',
    '__proto__',
    '--constructor',
  ],
  open: () => ({ run: (input) => check(textOf(input).split('\n')) }),
};

function check([name = '', ...lines]: readonly string[]): void {
  const table = Object.hasOwn(tables, name) ? tables[name] : undefined;
  if (!table) return;
  const env: Record<string, string> = {};
  for (const [, key = '', value = ''] of lines.map((line) => /^\$(\w+)=(.*)$/.exec(line) ?? []))
    env[key] = value;
  const args = lines.filter((line) => !line.startsWith('$'));
  const program = new Command('podpass');
  const command = addFlags(new Command(name), table);
  program.addCommand(command);
  for (const each of [program, command])
    each.exitOverride().configureOutput({ writeOut() {}, writeErr() {} });
  command.action(() => {});
  try {
    program.parse([...booleansOfPflag(program, [name, ...args])], { from: 'user' });
    const values = readFlags(command, table, env) as Readonly<Record<string, unknown>>;
    checkValues(values, table);
    const obsolete = describeObsolete(command, table, env);
    holds(obsolete === undefined || obsolete.length < 5_000, 'what is obsolete fills a page');
    if (name === 'standalone') readStandaloneSettings(values as unknown as StandaloneFlags);
  } catch (thrown) {
    if (thrown instanceof CommanderError) return;
    if (!(thrown instanceof PodpassError)) throw thrown;
    holds(thrown.code === 'ERR_USAGE', `${thrown.code} for a command line`);
    holds(thrown.message.length < 2_000, 'an error fills a page');
  }
}

function checkValues(values: Readonly<Record<string, unknown>>, table: FlagTable): void {
  for (const [key, definition] of Object.entries(table)) {
    const value = values[key];
    const { default: byDefault, repeated = false, required = false } = definition;
    if (repeated) holds(Array.isArray(value), `${key} is no list`);
    else if (typeof byDefault === 'boolean' || typeof byDefault === 'number') {
      holds(typeof value === typeof byDefault && !Number.isNaN(value), `${key} is ${JSON.stringify(value)}`);
    } else holds(!required || value !== undefined, `${key} is missing`);
  }
}
