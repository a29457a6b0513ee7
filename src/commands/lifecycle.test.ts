import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { statusOfRequestToEnd } from './lifecycle.ts';

const bound = { timeout: 20_000 };
const lifecycle = join(import.meta.dirname, 'lifecycle.ts');

const children = new Set<ChildProcess>();
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
});

/** Starts a process that says `ready`, waits for one of the signals, and then does what `ending` says; `beginning` before. */
async function start(
  kind: 'shutdownSignal' | 'audienceSignal',
  ending: string,
  beginning = '',
): Promise<ChildProcess> {
  const program = `
    import { ${kind}, statusOfRequestToEnd, untilAborted } from ${JSON.stringify(lifecycle)};
    const signal = ${kind}();
    console.log('ready');
    ${beginning}
    await untilAborted(signal);
    ${ending}
  `;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.add(child);
  await once(child.stdout ?? child, 'data');
  return child;
}

/** Exit status and signal. */
async function endOf(child: ChildProcess): Promise<unknown[]> {
  return child.exitCode === null && child.signalCode === null ? once(child, 'exit') : [child.exitCode, null];
}

describe('shutdownSignal', () => {
  const told = 'process.exit(statusOfRequestToEnd(signal.reason));';

  for (const [name, status] of [
    ['SIGTERM', 143],
    ['SIGINT', 130],
    ['SIGHUP', 129],
  ] as const) {
    it(`aborts at ${name}, with a reason that has a status`, bound, async () => {
      const child = await start('shutdownSignal', told);
      child.kill(name);
      assert.deepEqual(await endOf(child), [status, null]);
    });
  }

  const stuck = "console.log('ending'); setInterval(() => {}, 1_000);";

  it('ends the process at once when it is asked a second time', bound, async () => {
    const child = await start('shutdownSignal', stuck);
    child.kill('SIGTERM');
    await once(child.stdout ?? child, 'data');
    child.kill('SIGINT');
    assert.deepEqual(await endOf(child), [130, null]);
  });

  it('does not take the second SIGHUP of a closed terminal for impatience', bound, async () => {
    const child = await start('shutdownSignal', stuck);
    child.kill('SIGHUP');
    await once(child.stdout ?? child, 'data');
    child.kill('SIGHUP');
    child.kill('SIGTERM');
    assert.deepEqual(await endOf(child), [143, null]);
  });
});

describe('audienceSignal', () => {
  const talking = 'process.exit(statusOfRequestToEnd(signal.reason));';

  it('aborts when it is asked to end', bound, async () => {
    const child = await start('audienceSignal', talking);
    child.kill('SIGTERM');
    assert.deepEqual(await endOf(child), [143, null]);
  });

  it('aborts when nobody reads on', bound, async () => {
    const child = await start('audienceSignal', talking, "setInterval(() => console.log('more'), 10);");
    child.stdout?.destroy();
    assert.deepEqual(await endOf(child), [141, null]);
  });
});

describe('statusOfRequestToEnd', () => {
  it('knows no status for anything else that was thrown', () => {
    for (const thrown of [
      new Error('received SIGTERM'),
      new DOMException('', 'AbortError'),
      'text',
      undefined,
      null,
    ])
      assert.equal(statusOfRequestToEnd(thrown), undefined);
  });
});
