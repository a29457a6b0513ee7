import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { createProgram } from './command-line.ts';
import { completionScript } from './completion-script.ts';

const bash = completionScript(createProgram(), 'bash');

/** What bash offers after these words, the last of which is begun. Bash takes `--level=w` for three words. */
function offered(...words: string[]): string[] {
  const line = ['podpass', ...words].map((word) => `'${word}'`).join(' ');
  const script = `${bash}
COMP_WORDS=(${line}); COMP_CWORD=${words.length}
_podpass
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const said = execFileSync('bash', ['--norc', '-c', script], {
    encoding: 'utf8',
    cwd: import.meta.dirname,
    timeout: 10_000,
  });
  return said.split('\n').filter((word) => word !== '');
}

describe('completion in bash', () => {
  it('is set up for podpass by sourcing the script', () => {
    const script = `${bash}\ncomplete -p podpass`;
    const said = execFileSync('bash', ['--norc', '-c', script], { encoding: 'utf8' });
    assert.equal(said, 'complete -F _podpass podpass\n');
  });

  const cases: [string[], string[]][] = [
    [
      [''],
      [
        'agent',
        'server',
        'standalone',
        'health',
        'sandbox',
        'iam',
        'completion',
        'help',
        '--version',
        '--help',
      ],
    ],
    [['se'], ['server']],
    [
      ['agent', '--grpc'],
      ['--grpc-keepalive-time-duration', '--grpc-keepalive-timeout-duration'],
    ],
    [
      ['agent', '--level', ''],
      ['debug', 'info', 'warn', 'error'],
    ],
    [['server', '--json-log', '--level', '=', 'w'], ['warn']],
    [
      ['agent', '--imds', '='],
      ['v2-preferred', 'v2-required'],
    ],
    [
      ['health', '--cert', 'completion-script.t'],
      ['completion-script.test.ts', 'completion-script.ts'],
    ],
    [['agent', '--port', ''], []],
    [['sandbox', 'd'], ['demo']],
    [['sandbox', 'exec', '--sts-t'], ['--sts-throttle']],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish', '--help'],
    ],
    [['agent', '--whitelist'], []],
    [['server', '--sy'], []],
  ];
  for (const [words, expected] of cases) {
    it(`offers ${expected.join(' ') || 'nothing'} after podpass ${words.join(' ')}`, () => {
      assert.deepEqual(offered(...words).sort(), [...expected].sort());
    });
  }
});

describe('completion in other shells', () => {
  it("is bash's in zsh", () => {
    const zsh = completionScript(createProgram(), 'zsh');
    assert.match(zsh, /^#compdef podpass\n[\s\S]*bashcompinit\n/);
    assert.ok(zsh.endsWith(bash));
  });

  it('knows commands, choices, files and help in fish', () => {
    const lines = completionScript(createProgram(), 'fish').split('\n');
    for (const line of [
      "complete -c podpass -n '__fish_seen_subcommand_from agent' -l level -x -a 'debug info warn error' -d 'Log level: debug, info, warn, error. (default: info)'",
      "complete -c podpass -n '__fish_seen_subcommand_from health' -l cert -r -F -d 'Own certificate, PEM. (required)'",
      "complete -c podpass -n '__fish_seen_subcommand_from sandbox; and __fish_seen_subcommand_from demo' -l help -d 'show this help'",
    ])
      assert.ok(lines.includes(line), line);
    assert.ok(
      lines.some((line) => line.includes("node\\'s pods")),
      'quotes in help are escaped',
    );
  });
});
