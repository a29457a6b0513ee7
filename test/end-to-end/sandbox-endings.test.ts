// However a sandbox comes to its end, nobody has to clean up after it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { annotatePod, roleKey } from './annotate.ts';
import { eventually } from './eventually.ts';
import { mainScript } from './podpass-process.ts';
import {
  arnIn,
  assertEmpty,
  clientOf,
  environment,
  isAlive,
  newFolder,
  podpass,
  readOverview,
  startSandbox,
  whoAmI,
} from './sandbox-terminal.ts';
import { suiteScope } from './suite-scope.ts';

const bound = { timeout: 90_000 };

describe('a sandbox that nobody watches any more', () => {
  const scope = suiteScope();

  it('ends when the reader of its output goes, and leaves nothing behind', bound, async () => {
    const temporary = await newFolder();
    const child = spawn(process.execPath, [mainScript, 'sandbox'], {
      env: environment(temporary),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    scope.after(async () => void child.kill('SIGKILL'));
    const exited = once(child, 'exit');
    const lines: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      lines.push(line);
      if (line.startsWith('Changes appear below')) break;
    }
    const running = readOverview(lines);
    child.stdout.destroy();
    const client = await clientOf(running);
    scope.after(async () => client.close());
    await annotatePod(client, 'iam-example', 'no-role', { [roleKey]: 'logs-writer' });
    assert.deepEqual(await exited, [0, null]);
    assert.deepEqual(running.pids.filter(isAlive), []);
    assertEmpty(temporary);
  });

  it('leaves no process behind when it is killed outright', bound, async () => {
    const temporary = await newFolder();
    const child = spawn(process.execPath, [mainScript, 'sandbox'], {
      env: environment(temporary),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    scope.after(async () => void child.kill('SIGKILL'));
    const lines: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      lines.push(line);
      if (line.startsWith('Changes appear below')) break;
    }
    const { pids: children } = readOverview(lines);
    assert.ok(children.every(isAlive));
    child.kill('SIGKILL');
    await eventually(() => assert.deepEqual(children.filter(isAlive), []));
  });

  it('ends without a word of its own when it is interrupted while it starts', bound, async () => {
    const temporary = await newFolder();
    const child = spawn(process.execPath, [mainScript, 'sandbox', 'demo'], {
      env: environment(temporary),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    scope.after(async () => void child.kill('SIGKILL'));
    const exited = once(child, 'exit');
    const stderr = child.stderr.setEncoding('utf8').toArray();
    child.stdout.resume();
    await eventually(async () => assert.notDeepEqual(await readdir(temporary), []));
    child.kill('SIGINT');
    assert.deepEqual(await exited, [130, null]);
    assert.equal((await stderr).join(''), '');
    assertEmpty(temporary);
  });
});

describe('a sandbox that was killed', () => {
  const scope = suiteScope();

  it('is not taken for one that runs', bound, async () => {
    const running = await startSandbox(scope);
    await running.process.stop('SIGKILL');
    const { status, stdout, stderr } = await podpass(
      running.temporary,
      ...['sandbox', 'exec', 'iam-example/reportingdb-reader', '--', ...whoAmI],
    );
    for (const pid of running.pids) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    assert.equal(status, 0, stderr);
    assert.match(arnIn(stdout) ?? '', /reportingdb-reader/);
  });
});
