import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { partPath } from '../parts/catalogue.ts';
import { type Scope, stopWith } from '../parts/scope.ts';

/** Network namespaces that this process made. They go with the scope, or with the process. */
export interface Namespaces {
  /** Makes one with loopback up. Resolves to its name: `podpass-1234-3-node`. */
  make(title: string): string;
  remove(name: string): void;
}

/** Nothing that is run here takes a tenth of it, on a machine that is not busy. */
const boundMillis = 10_000;
const made = new Set<string>();
let count = 0;

/**
 * Runs a command of this machine to its end.
 *
 * @returns what it wrote
 * @throws Error with what it said, when it fails or takes too long
 */
export function run(file: string, args: readonly string[], input = ''): string {
  const ended = spawnSync(file, args, { input, timeout: boundMillis, encoding: 'utf8' });
  if (ended.status === 0) return ended.stdout;
  const why = ended.error?.message ?? ended.stderr.trim();
  throw new Error(`${file} ${args.join(' ')} ended with ${ended.status ?? ended.signal}: ${why}\n${input}`);
}

/** Runs a command inside a namespace. */
export function runIn(namespace: string, file: string, args: readonly string[], input = ''): string {
  return run(partPath('ip'), ['netns', 'exec', namespace, file, ...args], input);
}

/** Runs lines of `ip` inside a namespace. */
export function ipIn(namespace: string, lines: readonly string[]): void {
  run(partPath('ip'), ['-n', namespace, '-batch', '-'], `${lines.join('\n')}\n`);
}

/** Writes kernel settings, `net.ipv4.ip_forward` and the like, inside a namespace. */
export function setKernel(namespace: string, settings: Readonly<Record<string, number>>): void {
  const lines = Object.entries(settings).map(
    ([name, value]) => `echo ${value} > /proc/sys/${name.replaceAll('.', '/')}`,
  );
  runIn(namespace, 'sh', ['-e'], lines.join('\n'));
}

export function createNamespaces(scope: Scope): Namespaces {
  removeAllAtExit();
  removeLeftovers();
  const own = new Set<string>();

  function remove(name: string): void {
    own.delete(name);
    removeNamespace(name);
  }

  stopWith(scope, async () => {
    for (const name of own) remove(name);
  });
  return {
    make(title) {
      count += 1;
      const name = `podpass-${process.pid}-${count}-${title}`;
      run(partPath('ip'), ['netns', 'add', name]);
      made.add(name);
      own.add(name);
      // Addresses are of use at once, without the second in which the kernel looks for a double.
      setKernel(name, { 'net.ipv6.conf.all.accept_dad': 0, 'net.ipv6.conf.default.accept_dad': 0 });
      ipIn(name, ['link set lo up']);
      return name;
    },
    remove,
  };
}

function removeNamespace(name: string): void {
  if (!made.delete(name)) return;
  run(partPath('ip'), ['netns', 'delete', name]);
}

let hooked = false;

/** However this process ends by itself, no namespace stays behind. */
function removeAllAtExit(): void {
  if (hooked) return;
  hooked = true;
  const removeAll = () => {
    for (const name of made) removeNamespace(name);
  };
  process.once('exit', removeAll);
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => process.exit(1));
}

/** A process that was killed outright could not remove its own. */
function removeLeftovers(): void {
  const folder = '/run/netns';
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const pid = /^podpass-(\d+)-/.exec(name)?.[1];
    if (pid === undefined || existsSync(`/proc/${pid}`)) continue;
    // Another test may have been faster.
    spawnSync(partPath('ip'), ['netns', 'delete', name], { timeout: boundMillis });
  }
}
