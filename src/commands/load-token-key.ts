import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf, PodpassError } from '../base/errors.ts';
import { deriveTokenKey } from '../metadata/session-token.ts';

const keyBytes = 32;
const noRoom = ['ENOSPC', 'EDQUOT', 'EIO'] as const;

/**
 * The key of session tokens of a process that has no other secret that outlives it: read from a file, or made and put
 * there. Whoever comes second uses what the first one wrote. Without a file it ends with the process.
 *
 * A disk that is full, or fails, ends nobody's access: the key then ends with the process, too, which costs clients one
 * request for a new token.
 *
 * @param onNoRoom is told, in words, when there is no file although there should be one
 * @throws PodpassError ERR_FILE
 */
export async function loadTokenKey(
  path: string | undefined,
  onNoRoom: (problem: string) => void = () => {},
): Promise<Uint8Array> {
  if (path === undefined) return deriveTokenKey(randomBytes(keyBytes));
  try {
    const secret = (await readIfThere(path)) ?? (await create(path));
    if (secret.length < keyBytes) throw new Error(`it has ${secret.length} bytes of ${keyBytes}`);
    return deriveTokenKey(secret);
  } catch (cause) {
    if (isNoRoom(cause)) {
      onNoRoom(`--token-key-file ${path}: ${messageOf(cause)}. Session tokens end with this process.`);
      return deriveTokenKey(randomBytes(keyBytes));
    }
    throw new PodpassError(
      'ERR_FILE',
      `--token-key-file ${path} cannot be used: ${messageOf(cause)}. Mount a folder of the node's /run that podpass may write to, or leave the flag out.`,
      { cause },
    );
  }
}

/** What may be otherwise in a minute, without anybody having to change a manifest. */
function isNoRoom(error: unknown): boolean {
  return error instanceof Error && 'code' in error && noRoom.some((code) => code === error.code);
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Written under another name first: whoever reads it under its own must never find half of it. */
async function create(path: string): Promise<Uint8Array> {
  const draft = `${path}.${randomBytes(8).toString('hex')}`;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(randomBytes(keyBytes));
    // Unlike a rename, this fails where another process was faster.
    await link(draft, path).catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    });
  } finally {
    await file.close();
    await rm(draft, { force: true });
  }
  return readFile(path);
}
