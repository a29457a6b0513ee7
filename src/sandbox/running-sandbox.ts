import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PodpassError } from '../base/errors.ts';
import type { DoorPair, Mode } from './pod-doors.ts';

/** What another process needs to run a command as a pod of a sandbox. */
export interface RunningSandbox {
  readonly pid: number;
  readonly stsUrl: string;
  readonly region: string;
  /** By `namespace/name`: the URLs of the pod's doors. */
  readonly doors: Readonly<Record<string, Readonly<Record<Mode, DoorPair>>>>;
}

/** Where a sandbox says that it is there: one for each user of the machine. */
export function sandboxFolder(temporaryFolder: string, userId: number): string {
  return join(temporaryFolder, `podpass-sandbox-${userId}`);
}

const fileName = 'running.json';

/** Says that a sandbox runs. Called again when its pods change. */
export async function writeRunningSandbox(folder: string, sandbox: RunningSandbox): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await assertOwn(folder);
  // Renamed into its place, so that nobody reads half of it.
  const fresh = join(folder, `${fileName}.${sandbox.pid}`);
  await writeFile(fresh, JSON.stringify(sandbox), { mode: 0o600 });
  await rename(fresh, join(folder, fileName));
}

/** Takes it back. Another sandbox that has started since keeps its own word. */
export async function removeRunningSandbox(folder: string, pid: number): Promise<void> {
  const current = await readRunningSandbox(folder);
  if (current?.pid === pid) await rm(join(folder, fileName), { force: true });
}

/** The sandbox that runs now, if there is one whose process is alive. */
export async function readRunningSandbox(folder: string): Promise<RunningSandbox | undefined> {
  let text: string;
  try {
    await assertOwn(folder);
    text = await readFile(join(folder, fileName), 'utf8');
  } catch (error) {
    if (error instanceof PodpassError) throw error;
    return undefined;
  }
  const sandbox = parse(text);
  return sandbox && isAlive(sandbox.pid) ? sandbox : undefined;
}

function parse(text: string): RunningSandbox | undefined {
  try {
    const value = JSON.parse(text) as Partial<RunningSandbox>;
    if (typeof value.pid !== 'number' || typeof value.stsUrl !== 'string' || !value.doors) return undefined;
    // One of an older podpass has other doors.
    if (!Object.values(value.doors).every(({ split, standalone }) => split && standalone)) return undefined;
    return { region: 'eu-west-1', ...value } as RunningSandbox;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Whoever can write this folder says where a person's commands are sent. */
async function assertOwn(folder: string): Promise<void> {
  const { uid, mode } = await stat(folder);
  const isOthers = uid !== process.getuid?.();
  if (!isOthers && (mode & 0o022) === 0) return;
  const what = isOthers ? 'belongs to another user' : 'is a folder that others can write';
  throw new PodpassError('ERR_SANDBOX', `${folder} ${what}. Remove it, or set TMPDIR to a folder of yours.`);
}
