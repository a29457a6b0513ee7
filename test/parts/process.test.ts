import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { freePorts } from './free-ports.ts';
import { startProcess } from './process.ts';

const forever = 'console.log("here"); setInterval(() => {}, 60_000);';
const node = (script: string) => ({ title: 'the part', file: process.execPath, args: ['-e', script] });
const bound = { timeout: 30_000 };

/** Resolves when a process that is no child of this one has ended. */
async function gone(pid: number, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('startProcess', () => {
  it('waits until the part is ready, and ends it', bound, async (t) => {
    const part = startProcess(node(forever));
    let asked = 0;
    await part.untilReady(async () => ++asked > 2 && part.log() === 'here', 20_000, t.signal);
    assert.ok(asked > 2);
    assert.equal(part.ended, undefined);
    await part.stop();
    assert.equal(part.ended, 'was ended by SIGKILL');
    await part.stop();
  });

  it('takes a probe that throws for "not yet"', bound, async (t) => {
    const part = startProcess(node(forever));
    let asked = 0;
    const probe = async () => {
      asked += 1;
      if (asked < 3) throw new Error('ECONNREFUSED');
      return true;
    };
    await part.untilReady(probe, 20_000, t.signal);
    assert.equal(asked, 3);
    await part.stop();
  });

  it('says how a part ended that never got ready, with its last lines', bound, async (t) => {
    const part = startProcess(node('console.error("bind: address already in use"); process.exitCode = 4'));
    await assert.rejects(
      part.untilReady(async () => false, 20_000, t.signal),
      /the part ended with status 4\. Its last lines:\nbind: address already in use/,
    );
  });

  it('says so when the time is up', bound, async (t) => {
    const part = startProcess(node(forever));
    await assert.rejects(
      part.untilReady(async () => false, 100, t.signal),
      /was not ready after 0\.1 s/,
    );
    await part.stop();
  });

  it('asks first and kills later, where that is wanted', bound, async (t) => {
    const polite = startProcess(node(`process.on('SIGTERM', () => process.exit(7)); ${forever}`));
    await polite.untilReady(async () => polite.log() === 'here', 20_000, t.signal);
    await polite.stop('SIGTERM', 20_000);
    assert.equal(polite.ended, 'ended with status 7');

    const deaf = startProcess(node(`process.on('SIGTERM', () => {}); ${forever}`));
    await deaf.untilReady(async () => deaf.log() === 'here', 20_000, t.signal);
    await deaf.stop('SIGTERM', 50);
    assert.equal(deaf.ended, 'was ended by SIGKILL');
  });

  it('gives the part this environment with more on top, or only what it is told', bound, async (t) => {
    const env = { PODPASS_TEST_PART: 'yes' };
    for (const bareEnv of [false, true]) {
      const lines: string[] = [];
      const part = startProcess({
        ...node(
          'console.log(process.env.PODPASS_TEST_PART, process.env.PATH !== undefined); setInterval(() => {}, 60_000)',
        ),
        env,
        bareEnv,
        onLine: (line) => lines.push(line),
      });
      await part.untilReady(async () => lines.length > 0, 20_000, t.signal);
      assert.deepEqual(lines, [`yes ${!bareEnv}`]);
      await part.stop();
    }
  });

  for (const name of ['SIGTERM', 'SIGKILL'] as const) {
    const skip = name === 'SIGKILL' && process.platform !== 'linux' ? 'only Linux can tell the child' : false;
    it(`leaves nothing behind when the test itself is ended by ${name}`, { ...bound, skip }, async (t) => {
      const script = `
        import { startProcess } from ${JSON.stringify(join(import.meta.dirname, 'process.ts'))};
        const part = startProcess(${JSON.stringify(node(forever))});
        await part.untilReady(async () => part.log() === 'here', 20_000, new AbortController().signal);
        console.log(part.pid);
        setInterval(() => {}, 60_000);`;
      const owner = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [pid] = await once(owner.stdout, 'data', { signal: t.signal });
      owner.kill(name);
      await once(owner, 'exit');
      await gone(Number(pid), t.signal);
    });
  }
});

describe('freePorts', () => {
  it('gives as many as asked, all different, on which nobody listens', bound, async () => {
    const ports = await freePorts(20);
    assert.equal(new Set(ports).size, 20);
    for (const port of ports) {
      assert.ok(port < 32_768, `${port} is among those that Linux gives to connections going out`);
      const [error] = await once(connect(port, '127.0.0.1'), 'error');
      assert.equal(error.code, 'ECONNREFUSED');
    }
  });
});
