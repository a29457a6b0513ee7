// Runs one TypeScript file of this project under the Node that the project brings.
//
// Plain JavaScript for any Node >= 18, because it is what a fresh checkout runs first: it installs the
// dependencies when they are missing or out of date, then hands over to node_modules' own Node 26.
// Usage: node scripts/run.mjs FILE.ts [ARGUMENTS]

import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const modules = join(root, 'node_modules');
const stamp = join(modules, '.podpass-setup');

function lockFingerprint() {
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
}

function isInstalled() {
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === lockFingerprint();
}

function install() {
  process.stderr.write('podpass: installing dependencies (once per change of package-lock.json) ...\n');
  const npm = process.env.npm_execpath;
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  // npm's own output goes to stderr: the output of the command itself stays clean on stdout.
  const options = { cwd: root, stdio: ['ignore', 2, 2] };
  const result = npm ? spawnSync(process.execPath, [npm, ...args], options) : spawnSync('npm', args, options);
  if (result.status !== 0) {
    process.stderr.write(
      `podpass: could not install the dependencies (npm ci ${result.error?.message ?? `exited with ${result.status}`}). ` +
        'See the lines above; a registry that cannot be reached is the usual cause.\n',
    );
    process.exit(1);
  }
  writeFileSync(stamp, lockFingerprint());
}

/**
 * The Node that came with the dependencies, else the one running this file where it is new enough. It is looked for in
 * its package: not every npm links a command of the name `node`.
 */
function findNode() {
  const { platform, arch } = process;
  const brought = [`node-${platform}-${arch}`, `node-bin-${platform}-${arch}`]
    .map((name) => join(modules, name, 'bin', 'node'))
    .find((path) => existsSync(path));
  if (brought) return brought;
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath;
  process.stderr.write(
    `podpass: needs Node 24 or newer, and none came with the dependencies for ${platform}-${arch}; ` +
      `this is Node ${process.versions.node}. Install Node 26 and try again.\n`,
  );
  process.exit(1);
}

if (!isInstalled()) install();
const [file, ...args] = process.argv.slice(2);
const node = findNode();
const path = [dirname(node), join(modules, '.bin'), process.env.PATH ?? ''].join(':');
// Types are stripped and code is compiled once for all processes: most of a small test's time went there.
const compiled = process.env.NODE_COMPILE_CACHE ?? join(modules, '.cache', 'compile');
const env = { ...process.env, PATH: path, NODE_COMPILE_CACHE: compiled };
const child = spawn(node, [join(root, file), ...args], { stdio: 'inherit', env });
// A terminal sends its signals to the child too; one sent to this process alone is passed on.
process.on('SIGINT', () => {});
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
  process.stderr.write(`podpass: could not start ${file}: ${error.message}\n`);
  process.exit(1);
});
child.on('exit', (code, signal) => {
  if (signal) process.kill(process.pid, signal);
  else process.exit(code ?? 1);
});
