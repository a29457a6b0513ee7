import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const folder = pathToFileURL(import.meta.dirname).href;

/** Whether what each request brought about has fast properties, of a process that answers few and collects garbage. */
async function areFast(first: string): Promise<readonly boolean[]> {
  const program = `
    ${first}
    import { createServer } from 'node:http';
    import { connect } from 'node:net';
    import { setTimeout } from 'node:timers/promises';
    const fast = [];
    const server = createServer((request, response) => {
      const all = [request, response, request.socket];
      fast.push(all.every((object) => %HasFastProperties(object)));
      response.writeHead(200, ['Content-Length', '2']);
      response.end('ok');
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    for (let i = 0; i < 12; i += 1) {
      const socket = connect(server.address().port, '127.0.0.1');
      socket.end('GET / HTTP/1.1\\r\\nHost: pod\\r\\nConnection: close\\r\\n\\r\\n');
      socket.resume();
      await new Promise((resolve) => socket.once('close', resolve));
      await setTimeout(5);
      gc();
    }
    server.close();
    console.log(JSON.stringify(fast));
  `;
  const flags = ['--allow-natives-syntax', '--expose-gc'];
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...flags, '--input-type=module', '--eval', program],
    { timeout: 60_000 },
  );
  return JSON.parse(stdout) as boolean[];
}

describe('settleHiddenClasses', () => {
  it('keeps requests and responses fast though the first were collected one by one', async () => {
    const fast = await areFast(
      `import { settleHiddenClasses } from '${folder}/hidden-classes.ts'; settleHiddenClasses();`,
    );
    assert.deepEqual(fast, Array(12).fill(true));
  });

  it('is done by every long-running process before it listens', async () => {
    const flags = '{ jsonLog: true, level: "error", untilStdinEnds: true }';
    const fast = await areFast(
      `import { startProcess } from '${folder}/process-context.ts'; await startProcess('agent', ${flags}, {});`,
    );
    assert.deepEqual(fast, Array(12).fill(true));
  });

  it('has its reason: this version of Node does not see to it', async () => {
    const fast = await areFast('');
    assert.equal(fast[0], true);
    assert.equal(fast.at(-1), false, 'it does now: settleHiddenClasses can go');
  });
});
