// npm run build: bundles src/main.ts into dist/, which is all that ships.
//
// dist/podpass.mjs is what runs; dist/chunks holds what it loads when a command needs it. Not one file: V8 keeps
// and reads through the whole text of a file, and with the Kubernetes library in it an agent held 76 MB of memory
// of its own instead of 26, and took 0.18 s to start instead of 0.04.

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { build, type Metafile } from 'esbuild';
import { messageOf } from '../src/base/errors.ts';
import { builtinsWithoutFacade } from './builtin-modules.ts';
import { licenceText } from './licences.ts';
import { packageOf, packagesOf, staticClosure } from './static-closure.ts';

const root = resolve(import.meta.dirname, '..');
const dist = join(root, 'dist');
const entry = 'src/main.ts';

/** What a command must not load at its start, because of the memory that it takes. */
const kept: readonly { readonly start: string; readonly without: RegExp; readonly why: string }[] = [
  {
    start: entry,
    without: /^@(aws-sdk|smithy|grpc|kubernetes|peculiar)\//,
    why: 'every command would carry it: load it in the command that needs it, by import()',
  },
  {
    start: 'src/commands/agent-run.ts',
    without: /^@(aws-sdk|kubernetes|peculiar)\//,
    why: 'an agent runs on every node and calls neither AWS nor the Kubernetes API',
  },
  {
    start: 'src/commands/standalone-run.ts',
    without: /^@(grpc|bufbuild|protobufjs|kubernetes|peculiar)\//,
    why: 'a standalone node speaks no gRPC, and only a kubeconfig needs the library of Kubernetes',
  },
  {
    start: 'src/commands/server-run.ts',
    without: /^@kubernetes\//,
    why: 'it costs 80 MB, and only a kubeconfig needs it',
  },
];

function checkKept(metafile: Metafile): void {
  for (const { start, without, why } of kept) {
    const found = packagesOf(staticClosure(metafile, start)).filter((name) => without.test(name));
    if (found.length > 0) throw new Error(`${start} loads ${found.join(', ')} at its start; ${why}`);
  }
}

/** An import of one of Node's modules reads all that it has, behind which there is undici: `builtin-modules.ts`. */
function checkBuiltins(metafile: Metafile): void {
  for (const [file, { imports }] of Object.entries(metafile.outputs)) {
    const found = imports.find(
      ({ kind, external, path }) =>
        external &&
        (kind === 'import-statement' || (kind === 'dynamic-import' && /^(?:node:)?http$/.test(path))),
    );
    if (found) throw new Error(`${file} imports ${found.path}: take it by process.getBuiltinModule`);
  }
}

/** What esbuild makes of a CommonJS package that our code loads by import() has no names: only `default`. */
function checkLoaded(metafile: Metafile): void {
  for (const { imports, inputs } of Object.values(metafile.outputs)) {
    if (!Object.keys(inputs).some((path) => path.startsWith('src/'))) continue;
    for (const { kind, path } of imports) {
      const { exports = [], entryPoint = path } = metafile.outputs[path] ?? {};
      if (kind === 'dynamic-import' && exports.every((name) => name === 'default') && exports.length > 0)
        throw new Error(
          `import() of ${entryPoint} would give nothing but its default: it is not an ES module`,
        );
    }
  }
}

function packageFolders(metafile: Metafile): string[] {
  const folders = new Set<string>();
  for (const path of Object.keys(metafile.inputs)) {
    const name = packageOf(path);
    if (name === undefined) continue;
    const end = path.lastIndexOf(`node_modules/${name}`) + `node_modules/${name}`.length;
    folders.add(resolve(root, path.slice(0, end)));
  }
  return [...folders].sort();
}

async function main(): Promise<void> {
  const start = performance.now();
  const { metafile, outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: { podpass: entry },
    outdir: dist,
    outExtension: { '.js': '.mjs' },
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    platform: 'node',
    // ES modules first: of a CommonJS module that is loaded by import(), esbuild gives nothing but `default`.
    mainFields: ['module', 'main'],
    plugins: [builtinsWithoutFacade],
    format: 'esm',
    target: 'node24',
    // Not identifiers: a stack trace of an operator should name functions. esbuild can minify them and keep the names
    // (keepNames), but then every closure is given its name by a call when it is made, on the hot path as anywhere.
    minifySyntax: true,
    minifyWhitespace: true,
    sourcemap: 'external',
    legalComments: 'external',
    metafile: true,
    write: false,
    logLevel: 'warning',
    // What is written as CommonJS asks for Node's modules by `require`.
    banner: {
      js: "const require = process.getBuiltinModule('node:module').createRequire(import.meta.url);",
    },
  });
  checkBuiltins(metafile);
  checkKept(metafile);
  checkLoaded(metafile);

  rmSync(dist, { recursive: true, force: true });
  const notices: string[] = [];
  let bytes = 0;
  let chunks = 0;
  for (const { path, text, contents } of outputFiles) {
    if (path.endsWith('.LEGAL.txt')) {
      notices.push(text);
      continue;
    }
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, contents, { mode: path === join(dist, 'podpass.mjs') ? 0o755 : 0o644 });
    if (!path.endsWith('.mjs')) continue;
    bytes += contents.length;
    chunks += 1;
  }
  const licences = join(dist, 'THIRD-PARTY-LICENCES.txt');
  writeFileSync(licences, `${licenceText(packageFolders(metafile))}\n${notices.join('\n')}`);
  const built = performance.now();

  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const program = join(dist, 'podpass.mjs');
  const said = execFileSync(process.execPath, [program, '--version'], {
    encoding: 'utf8',
    timeout: 30_000,
  }).trim();
  if (said !== version) throw new Error(`dist/podpass.mjs --version says "${said}" and not ${version}`);
  const ran = performance.now();

  const size = `${chunks} files, ${(bytes / 1e6).toFixed(1)} MB`;
  process.stdout.write(
    `${relative(root, program)} ${version}: ${size}, built in ${Math.round(built - start)} ms\n`,
  );
  process.stdout.write(`starts and says its version in ${Math.round(ran - built)} ms\n`);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`build: ${messageOf(error)}\n`);
  process.exitCode = 1;
}
