import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Command } from 'commander';
import { addFlags } from './add-flags.ts';
import { environmentName, flag, grouped, retired } from './flags.ts';
import { describeObsolete, type Environment, readFlags } from './read-flags.ts';

const here = import.meta.filename;

const table = {
  ...grouped('Log', {
    jsonLog: flag.boolean({ name: 'json-log', help: 'JSON.' }),
    level: flag.choice({ name: 'level', choices: ['info', 'warn'], default: 'info', help: 'Level.' }),
  }),
  remove: flag.boolean({ name: 'remove', help: 'Remove.', default: true }),
  cert: flag.requiredFile({ name: 'cert', help: 'Certificate.' }),
  region: flag.text({ name: 'region', placeholder: 'REGION', help: 'Region.' }),
  wait: flag.duration({ name: 'wait', default: 800, min: 100, help: 'Wait.' }),
  ping: flag.duration({
    name: 'ping',
    renamed: ['ping-ms', 'ping-millis'],
    renamedMillis: true,
    floor: 1_000,
    default: 10_000,
    help: 'Ping.',
  }),
  port: flag.integer({ name: 'port', default: 3100, min: 0, max: 65_535, help: 'Port.' }),
  server: flag.list({ name: 'server', placeholder: 'ADDRESS', default: ['localhost:1'], help: 'Servers.' }),
  node: flag.text({ name: 'node', placeholder: 'NAME', alsoEnv: 'NODE_NAME', help: 'Node.' }),
  ...retired('nothing is synced', {
    sync: flag.duration({ name: 'sync', default: 60_000, help: 'Sync.' }),
    fetchers: flag.integer({ name: 'fetchers', default: 8, min: 0, max: 100, help: 'Fetchers.' }),
  }),
  ...retired('it was never good', { harmful: flag.boolean({ name: 'harmful', help: 'Harmful.' }) }),
};

function parsed(args: readonly string[]): Command {
  const command = addFlags(new Command('test').exitOverride().configureOutput({ writeErr: () => {} }), table);
  return command.parse(args, { from: 'user' });
}

const parse = (args: readonly string[], env: Environment = {}) =>
  readFlags(parsed([`--cert=${here}`, ...args]), table, env);
const obsolete = (args: readonly string[], env: Environment = {}) =>
  describeObsolete(parsed(args), table, env);

describe('flags', () => {
  it('have their defaults', () => {
    const { sync, fetchers, harmful, ...values } = parse([]) as Record<string, unknown>;
    assert.deepEqual(values, {
      jsonLog: false,
      remove: true,
      cert: here,
      region: undefined,
      wait: 800,
      ping: 10_000,
      port: 3100,
      level: 'info',
      server: ['localhost:1'],
      node: undefined,
    });
  });

  it('take values after a space or an equals sign, durations in Go syntax, and booleans both ways', () => {
    const values = parse(['--wait=1m30s', '--port', '80', '--level=warn', '--json-log', '--no-remove']);
    assert.equal(values.wait, 90_000);
    assert.equal(values.port, 80);
    assert.equal(values.level, 'warn');
    assert.equal(values.jsonLog, true);
    assert.equal(values.remove, false);
  });

  it('collect lists from commas and from repetition, in place of the default', () => {
    assert.deepEqual(parse(['--server=a:1,b:2', '--server', 'c:3']).server, ['a:1', 'b:2', 'c:3']);
  });

  it('count as given last', () => {
    const values = parse(['--port=1', '--port=2', '--json-log', '--no-json-log']);
    assert.deepEqual([values.port, values.jsonLog], [2, false]);
  });

  it("are not given when empty, as kiam's templates render them", () => {
    assert.equal(parse(['--region=']).region, undefined);
    assert.equal(parse(['--region='], { PODPASS_REGION: 'eu-west-1' }).region, undefined);
    assert.equal(parse([], { PODPASS_PORT: '' }).port, 3100);
  });

  it('come from the environment too, which the command line overrides', () => {
    assert.equal(parse([], { PODPASS_WAIT: '5s' }).wait, 5_000);
    assert.equal(parse(['--wait=1s'], { PODPASS_WAIT: '5s' }).wait, 1_000);
    assert.equal(readFlags(parsed([]), table, { PODPASS_CERT: here }).cert, here);
    assert.deepEqual(parse([], { PODPASS_SERVER: 'a:1,b:2' }).server, ['a:1', 'b:2']);
  });

  for (const [text, value] of Object.entries({ true: true, '1': true, T: true, false: false, '0': false })) {
    it(`read a boolean variable that is ${text}`, () => {
      assert.equal(parse([], { PODPASS_JSON_LOG: text }).jsonLog, value);
      assert.equal(parse([], { PODPASS_REMOVE: text }).remove, value);
    });
  }

  it('do not take what Kubernetes sets where a Service is called podpass', () => {
    assert.equal(parse([], { PODPASS_PORT: 'tcp://10.0.0.1:443' }).port, 3100);
  });

  it("read kiam's own variables where there is none of ours", () => {
    assert.equal(parse([], { NODE_NAME: 'theirs' }).node, 'theirs');
    assert.equal(parse([], { NODE_NAME: 'theirs', PODPASS_NODE: 'ours' }).node, 'ours');
  });

  it('take what is below the floor as the floor', () => {
    assert.equal(parse(['--ping=0']).ping, 1_000);
  });

  const wrong: [string[], Environment, RegExp][] = [
    [
      ['--wait=10'],
      {},
      /^--wait "10": it must be a duration such as 10s, 500ms or 1h30m, try "test --help"$/,
    ],
    [['--wait=-1s'], {}, /^--wait "-1s": it must be at least 100ms/],
    [['--port=70000'], {}, /^--port "70000": it must be a whole number from 0 to 65535/],
    [['--port=8x'], {}, /^--port "8x": it must be a whole number/],
    [['--port='], {}, /^--port "": it must be a whole number/],
    [['--level=trace'], {}, /^--level "trace": it must be one of info, warn/],
    [['--level=\u001b[31m\n'], {}, /^--level "\\u001b\[31m\\n": it must/],
    [[`--level=${'a'.repeat(1_000)}`], {}, /^--level "a{100}…": it must/],
    [['--region', '--json-log'], {}, /^--region "--json-log": that is another flag, and the value/],
    [['--sync=often'], {}, /^--sync "often": it must be a duration/],
    [['--ping=20'], {}, /^--ping "20": it must be a duration/],
    [['--ping-ms=x'], {}, /^--ping-ms "x": it must be a duration/],
    [['--nonsense'], {}, /unknown option '--nonsense'/],
    [[], { PODPASS_WAIT: '10' }, /^PODPASS_WAIT "10": it must be a duration/],
    [[], { PODPASS_JSON_LOG: 'yes' }, /^PODPASS_JSON_LOG "yes": it must be true or false/],
    [[], { PODPASS_PING_MS: '-1ms' }, /^PODPASS_PING_MS "-1ms": it must be at least 0s/],
  ];
  for (const [args, env, message] of wrong) {
    const title = JSON.stringify([...args, env]).slice(0, 80);
    it(`refuse ${title} with one line that helps`, () => {
      assert.throws(
        () => parse(args, env),
        (error: Error) => {
          assert.match(error.message, message);
          assert.doesNotMatch(error.message, /\n/);
          return true;
        },
      );
    });
  }

  it('say all that is missing at once', () => {
    assert.throws(() => readFlags(parsed([]), table, {}), {
      code: 'ERR_USAGE',
      message: 'missing: --cert FILE; give them, or set PODPASS_CERT, try "test --help"',
    });
  });

  it('have predictable variable names', () => {
    assert.equal(environmentName('grpc-keepalive-time-duration'), 'PODPASS_GRPC_KEEPALIVE_TIME_DURATION');
  });

  it('may be given to the command above, and the nearer one wins', () => {
    const values: unknown[] = [];
    const run = (...args: string[]) => {
      const above = addFlags(new Command('above').enablePositionalOptions(), table);
      const below = addFlags(new Command('below'), table);
      below.action(() => {
        values.push(readFlags(below, table, {}).port);
      });
      above.addCommand(below).parse(args, { from: 'user' });
    };
    run('--port=1', 'below', `--cert=${here}`);
    run('--port=1', 'below', `--cert=${here}`, '--port=2');
    run(`--cert=${here}`, 'below');
    assert.deepEqual(values, [1, 2, 3100]);
  });
});

describe('flags under an old name', () => {
  it('act as under the new one, plain milliseconds too', () => {
    assert.equal(parse(['--ping-ms=20s']).ping, 20_000);
    assert.equal(parse(['--ping-millis', '5000']).ping, 5_000);
    assert.equal(parse([], { PODPASS_PING_MS: '7s' }).ping, 7_000);
  });

  it('give way to the new name', () => {
    assert.equal(parse(['--ping-ms=20s', '--ping=30s']).ping, 30_000);
    assert.equal(parse(['--ping-ms=20s'], { PODPASS_PING: '30s' }).ping, 20_000);
  });
});

describe('the warning about flags', () => {
  it('is not there when there is nothing to say', () => {
    assert.equal(obsolete(['--ping=1s', '--json-log']), undefined);
  });

  it('names in one line all that do nothing, why, and all that have new names', () => {
    const args = ['--sync=1m', '--no-harmful', '--ping-ms=1s'];
    assert.equal(
      obsolete(args, { PODPASS_FETCHERS: '3' }),
      'these flags have no effect here: --sync, PODPASS_FETCHERS, because nothing is synced; --no-harmful, because it ' +
        'was never good; remove them. these flags have new names: --ping-ms is now --ping; rename them',
    );
  });
});

describe('help', () => {
  it('has groups, defaults and variables, and neither old names nor what does nothing', () => {
    const text = parsed([]).helpInformation();
    assert.match(text, /^Log:\n {2}--json-log/m);
    assert.match(text, /Wait. \(default: 800ms\)/);
    assert.match(text, /Node. \(also from NODE_NAME\)/);
    assert.match(text, /Certificate. \(required\)/);
    assert.doesNotMatch(text, /ping-ms|sync|harmful/);
  });
});
