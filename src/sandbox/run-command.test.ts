import assert from 'node:assert/strict';
import { realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, it } from 'node:test';
import { runCommand } from './run-command.ts';

const signal = new AbortController().signal;
const options = { bound: 30_000, signal, env: {} };
const node = (script: string, more: object = {}) =>
  runCommand(process.execPath, ['-e', script], { ...options, ...more });

describe('runCommand', () => {
  it('gives what the command wrote, and status 0', async () => {
    const result = await node('console.log("out"); console.error("err")');
    assert.deepEqual(result, { kind: 'exited', status: 0, stdout: 'out\n', stderr: 'err\n' });
  });

  it('gives the status and the output of a command that failed', async () => {
    const result = await node('console.error("why"); process.exitCode = 3');
    assert.deepEqual(result, { kind: 'exited', status: 3, stdout: '', stderr: 'why\n' });
  });

  it('says that there is no such command', async () => {
    const result = await runCommand('/nowhere/aws', [], options);
    assert.deepEqual(result, { kind: 'failed', reason: 'not-found', message: 'there is no /nowhere/aws' });
  });

  it('passes arguments as they are, without a shell', async () => {
    const result = await runCommand(
      process.execPath,
      ['-p', 'process.argv.at(-1)', '$HOME; echo `id`'],
      options,
    );
    assert.equal(result.kind === 'exited' && result.stdout, '$HOME; echo `id`\n');
  });

  it('gives the command the environment it is told and no other', async () => {
    const result = await node('console.log(JSON.stringify(process.env))', { env: { ONLY: 'this' } });
    assert.ok(result.kind === 'exited');
    assert.deepEqual(JSON.parse(result.stdout), { ONLY: 'this' });
  });

  it('runs it in the folder it is told', async () => {
    const result = await node('console.log(process.cwd())', { cwd: tmpdir() });
    assert.equal(result.kind === 'exited' && result.stdout.trim(), realpathSync(tmpdir()));
  });

  it('ends a command that takes longer than its bound', async () => {
    const result = await node('setInterval(() => {}, 60_000)', { bound: 100 });
    assert.equal(result.kind === 'failed' && result.reason, 'timeout');
  });

  it('tells a command that died by itself from one that took too long', async () => {
    const result = await node('process.kill(process.pid, "SIGKILL")');
    assert.equal(result.kind === 'failed' && result.reason, 'killed');
  });

  it('rejects with the reason of the signal, before and during the command', async () => {
    const controller = new AbortController();
    const running = node('setInterval(() => {}, 60_000)', { signal: controller.signal });
    controller.abort(new Error('shutting down'));
    await assert.rejects(running, /shutting down/);
    await assert.rejects(async () => node('0', { signal: controller.signal }), /shutting down/);
  });
});
