import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..', '..');
/** In git: few small files for each target, replayed by `npm test`. */
const committed = join(root, 'test', 'fuzz', 'corpus');
/** Outside git: what earlier runs on this machine kept. */
const local = join(root, '.cache', 'fuzz', 'corpus');
/** Outside git: inputs for which a property did not hold. */
const found = join(root, '.cache', 'fuzz', 'found');

/** Names that the fuzzer gives. Files with names of their own are left alone: a person put them there for a reason. */
const given = /^[0-9a-f]{16}$/;

export interface CorpusFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The inputs of a target that are in git. */
export function readCommitted(target: string): readonly CorpusFile[] {
  return read(join(committed, target));
}

/** What earlier runs on this machine kept. */
export function readLocal(target: string): readonly CorpusFile[] {
  return read(join(local, target));
}

/** Puts `inputs` in the place of what earlier runs kept. */
export function writeLocal(target: string, inputs: readonly Uint8Array[]): void {
  replace(join(local, target), inputs);
}

/** Puts `inputs` in the place of those in git that the fuzzer named. */
export function writeCommitted(target: string, inputs: readonly Uint8Array[]): void {
  replace(join(committed, target), inputs);
}

/** @returns the path of the file, relative to the project. */
export function writeFound(target: string, input: Uint8Array): string {
  mkdirSync(found, { recursive: true });
  const name = `${target}-${nameOf(input)}`;
  writeFileSync(join(found, name), input);
  return join('.cache', 'fuzz', 'found', name);
}

function read(folder: string): readonly CorpusFile[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((name) => ({ name, bytes: readFileSync(join(folder, name)) }));
}

function replace(folder: string, inputs: readonly Uint8Array[]): void {
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) if (given.test(name)) rmSync(join(folder, name));
  for (const input of inputs) writeFileSync(join(folder, nameOf(input)), input);
}

function nameOf(input: Uint8Array): string {
  return createHash('sha256').update(input).digest('hex').slice(0, 16);
}
