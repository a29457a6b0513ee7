import { createHash } from 'node:crypto';
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { messageOf } from '../../src/base/errors.ts';
import { fingerprint } from '../parts/locations.ts';
import { type Manifest, parseManifest } from './manifest.ts';

/** A folder with a client in it. */
export interface Client {
  /** The folder's name: what `--only` takes. */
  readonly name: string;
  readonly dir: string;
  readonly manifest: Manifest;
  /** Changes whenever one of its files does, or how it is built. */
  readonly fingerprint: string;
}

/** The clients of this project. */
export const ownClients = join(import.meta.dirname, 'clients');

const manifestName = 'client.json';

/** Names of roles and pods are made of it. */
const goodName = /^[a-z0-9][a-z0-9.-]{0,30}$/;

/**
 * Every folder of some folders that has a `client.json`, by name.
 *
 * @throws Error for a manifest that cannot be used, for a name that is there twice, and where there is no client.
 */
export function findClients(folders: readonly string[]): readonly Client[] {
  const clients = folders.flatMap((folder) => clientsIn(resolve(folder)));
  const names = new Set<string>();
  for (const { name, dir } of clients) {
    if (names.has(name)) throw new Error(`${dir}: there is another client of the name ${name}`);
    names.add(name);
  }
  return clients.sort((one, other) => (one.name < other.name ? -1 : 1));
}

function clientsIn(folder: string): Client[] {
  const found = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(folder, entry.name, manifestName)))
    .map(({ name }) => readClient(name, join(folder, name)));
  if (found.length === 0) throw new Error(`${folder}: no folder in it has a ${manifestName}`);
  return found;
}

function readClient(name: string, dir: string): Client {
  if (!goodName.test(name))
    throw new Error(`${dir}: a client's folder is named with small letters, digits, dots and dashes`);
  try {
    const manifest = parseManifest(readFileSync(join(dir, manifestName), 'utf8'));
    return { name, dir, manifest, fingerprint: fingerprintOf(dir, manifest) };
  } catch (error) {
    throw new Error(`${join(dir, manifestName)}: ${messageOf(error)}`);
  }
}

/** Of a manifest only what builds the client counts. */
function fingerprintOf(dir: string, { build }: Manifest): string {
  const files = filesOf(dir).filter((path) => path !== join(dir, manifestName));
  const hash = createHash('sha256').update(fingerprint(files)).update(JSON.stringify(build));
  return hash.digest('hex').slice(0, 12);
}

/** Folders that package managers and interpreters leave beside sources are not the client. */
function filesOf(dir: string): string[] {
  const left = /(^|\/)(node_modules|target|__pycache__|\.[^/]*)$/;
  return globSync('**', { cwd: dir, withFileTypes: true, exclude: (entry) => left.test(entry.name) })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
