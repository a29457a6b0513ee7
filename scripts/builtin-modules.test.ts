import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { build } from 'esbuild';
import { builtinsWithoutFacade, sourceOf } from './builtin-modules.ts';

const loaded = "process.stdout.write(String(process.moduleLoadList.some((name) => name.includes('undici'))))";

async function bundle(contents: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, loader: 'ts' },
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    plugins: [builtinsWithoutFacade],
  });
  return outputFiles[0]?.text ?? '';
}

function run(code: string): string {
  return execFileSync(process.execPath, ['--input-type=module', '--eval', code], {
    encoding: 'utf8',
    timeout: 30_000,
  });
}

describe('builtinsWithoutFacade', () => {
  it('loads node:http without undici', async () => {
    const code = await bundle(
      `import { createServer, Agent } from 'node:http'; if (createServer.length < 0 || !Agent) throw 0; ${loaded}`,
    );
    assert.equal(run(code), 'false');
  });

  it('loads it so by import(), and whole, too', async () => {
    const code = await bundle(
      `import * as http from 'http'; const { request, default: all } = await import('node:http'); if (request !== all.request || Object.keys(http).length < 9) throw 0; ${loaded}`,
    );
    assert.equal(run(code), 'false');
  });

  it('is needed: an import loads it', () =>
    assert.equal(run(`import { createServer } from 'node:http'; createServer; ${loaded}`), 'true'));

  it('gives the same things under each kind of import and name', async () => {
    const code = await bundle(`
      import path, { join } from 'path';
      import * as all from 'node:path';
      import { readFile } from 'node:fs/promises';
      import { constants } from 'node:http2';
      process.stdout.write(JSON.stringify([path.join === join, all.join === join, typeof readFile, constants.NGHTTP2_NO_ERROR]));
    `);
    assert.deepEqual(JSON.parse(run(code)), [true, true, 'function', 0]);
    assert.doesNotMatch(code, /^import\b/m);
  });

  it('leaves alone what is loaded when it is needed', async () => {
    const code = await bundle("const { setFlagsFromString } = await import('node:v8'); setFlagsFromString;");
    assert.match(code, /import\("node:v8"\)/);
  });

  it('does not export what is no name', () => {
    assert.doesNotMatch(sourceOf('module'), /module\.exports/);
    assert.match(sourceOf('http'), /builtin\.createServer/);
  });
});
