import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { Command } from 'commander';
import { addFlags, environmentName, flag, readFlags } from './flags.ts';

const table = {
  jsonLog: flag.boolean({ name: 'json-log', help: 'JSON.' }),
  remove: flag.boolean({ name: 'remove', help: 'Remove.', default: true }),
  cert: flag.requiredText({ name: 'cert', placeholder: 'FILE', help: 'Certificate.' }),
  region: flag.text({ name: 'region', placeholder: 'REGION', help: 'Region.' }),
  wait: flag.duration({ name: 'wait', default: 800, min: 100, help: 'Wait.' }),
  port: flag.integer({ name: 'port', default: 3100, min: 0, max: 65_535, help: 'Port.' }),
  level: flag.choice({ name: 'level', choices: ['info', 'warn'], default: 'info', help: 'Level.' }),
  server: flag.list({ name: 'server', placeholder: 'ADDRESS', default: ['localhost:1'], help: 'Servers.' }),
  node: flag.text({ name: 'node', placeholder: 'NAME', alsoEnv: 'NODE_NAME', help: 'Node.' }),
};

function parse(...args: string[]) {
  const command = addFlags(new Command('test').exitOverride().configureOutput({ writeErr: () => {} }), table);
  command.parse(args, { from: 'user' });
  return readFlags(command, table);
}

describe('flags', () => {
  const set: string[] = [];
  const setEnv = (name: string, value: string) => {
    set.push(name);
    process.env[name] = value;
  };
  afterEach(() => {
    for (const name of set.splice(0)) delete process.env[name];
  });

  it('have their defaults', () => {
    assert.deepEqual(parse('--cert=c'), {
      jsonLog: false,
      remove: true,
      cert: 'c',
      region: undefined,
      wait: 800,
      port: 3100,
      level: 'info',
      server: ['localhost:1'],
      node: undefined,
    });
  });

  it('take values after a space or an equals sign, durations in Go syntax, and booleans both ways', () => {
    const values = parse(
      '--cert',
      'c',
      '--wait=1m30s',
      '--port',
      '80',
      '--level=warn',
      '--json-log',
      '--no-remove',
    );
    assert.equal(values.wait, 90_000);
    assert.equal(values.port, 80);
    assert.equal(values.level, 'warn');
    assert.equal(values.jsonLog, true);
    assert.equal(values.remove, false);
  });

  it('collect lists from commas and from repetition, in place of the default', () => {
    assert.deepEqual(parse('--cert=c', '--server=a:1,b:2', '--server', 'c:3').server, ['a:1', 'b:2', 'c:3']);
  });

  it('come from the environment too, which the command line overrides', () => {
    setEnv('PODPASS_WAIT', '5s');
    setEnv('PODPASS_CERT', 'from-environment');
    assert.equal(parse().wait, 5_000);
    assert.equal(parse('--wait=1s').wait, 1_000);
    assert.equal(parse().cert, 'from-environment');
  });

  it("read kiam's own variables where there is none of ours", () => {
    setEnv('NODE_NAME', 'theirs');
    assert.equal(parse('--cert=c').node, 'theirs');
    setEnv('PODPASS_NODE', 'ours');
    assert.equal(parse('--cert=c').node, 'ours');
  });

  const wrong: [string[], RegExp][] = [
    [[], /required option '--cert <FILE>' not specified/],
    [['--cert=c', '--wait=10'], /"10" is not a duration such as 10s/],
    [['--cert=c', '--wait=1ms'], /must be at least 100ms/],
    [['--cert=c', '--port=70000'], /whole number from 0 to 65535/],
    [['--cert=c', '--port=8x'], /whole number/],
    [['--cert=c', '--level=trace'], /must be one of info, warn/],
    [['--cert=c', '--nonsense'], /unknown option '--nonsense'/],
  ];
  for (const [args, message] of wrong) {
    it(`refuse ${args.join(' ') || 'nothing'} with words that help`, () => {
      assert.throws(() => parse(...args), message);
    });
  }

  it('have predictable variable names', () => {
    assert.equal(environmentName('grpc-keepalive-time-duration'), 'PODPASS_GRPC_KEEPALIVE_TIME_DURATION');
  });

  it('may be given to the command above, and the nearer one wins', () => {
    const values: unknown[] = [];
    const run = (...args: string[]) => {
      const above = addFlags(new Command('above').enablePositionalOptions(), table);
      const below = addFlags(new Command('below'), table);
      below.action(() => {
        values.push(readFlags(below, table).port);
      });
      above.addCommand(below).parse(args, { from: 'user' });
    };
    run('--cert=c', '--port=1', 'below', '--cert=c');
    run('--cert=c', '--port=1', 'below', '--cert=c', '--port=2');
    run('--cert=c', 'below', '--cert=c');
    assert.deepEqual(values, [1, 2, 3100]);
  });
});
