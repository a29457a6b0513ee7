import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Clock, sleep } from '../base/clock.ts';

export interface InstallOptions {
  /** Where it goes. The parent folder is made. */
  readonly dir: string;
  readonly clock: Clock;
  /** Ends the wait for another process that is installing the same; `install` is given it too. */
  readonly signal: AbortSignal;
  /** Fills the folder, which exists and is empty. */
  readonly install: (dir: string) => Promise<void>;
}

/** Written last: a folder without it is what an interrupted installation left. */
const stampName = '.installed';

const lockPollMillis = 200;

/** Whether `dir` holds a finished installation. */
export function isInstalled(dir: string): boolean {
  return existsSync(join(dir, stampName));
}

/**
 * Installs something into a folder, once, however many processes ask at the same time. The others wait for the
 * first. What an interrupted installation left is removed; a failed one leaves nothing that is taken for finished.
 *
 * The folder is filled in place and not renamed into place, because a Python environment has its own path
 * written into its scripts; `isInstalled` is what makes it appear at once.
 *
 * @returns whether this call did the installation (`false`: it was there).
 * @throws what `install` throws, and the signal's reason.
 */
export async function installOnce({ dir, clock, signal, install }: InstallOptions): Promise<boolean> {
  if (isInstalled(dir)) return false;
  await mkdir(dirname(dir), { recursive: true });
  const release = await lock(`${dir}.lock`, clock, signal);
  try {
    if (isInstalled(dir)) return false;
    await rm(dir, { recursive: true, force: true });
    await mkdir(dir, { recursive: true });
    await install(dir);
    signal.throwIfAborted();
    await writeFile(join(dir, stampName), '');
    return true;
  } finally {
    release();
  }
}

/** SQLite's "another connection holds the lock". */
const sqliteBusy = 5;

/**
 * Waits for a lock that is the operating system's, by way of SQLite: it vanishes with the process that holds it,
 * so a kill -9 leaves nothing behind and no guess about a stale file is needed.
 */
async function lock(path: string, clock: Clock, signal: AbortSignal): Promise<() => void> {
  for (;;) {
    signal.throwIfAborted();
    const database = new DatabaseSync(path);
    try {
      database.exec('BEGIN EXCLUSIVE');
      return () => database.close();
    } catch (error) {
      database.close();
      if (!(error instanceof Error && 'errcode' in error && error.errcode === sqliteBusy)) throw error;
    }
    await sleep(clock, lockPollMillis, signal);
  }
}
