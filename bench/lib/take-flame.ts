import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { renderFlame } from './flame/render-flame.ts';
import { type CpuProfile, treeOf } from './flame/tree-of.ts';
import type { RowContext } from './row.ts';

/**
 * A profile of a process under load, by podpass's own profile route: the picture in the file that was wished, and
 * beside it the `.cpuprofile`, for the developer tools of Chrome. Does nothing when none is wished.
 *
 * @throws Error when the process serves no profiles
 */
export async function takeFlame(
  { flame, quick, note }: Pick<RowContext, 'flame' | 'quick' | 'note'>,
  { profileUrl }: { readonly profileUrl?: string },
  title: string,
  load: (seconds: number) => Promise<unknown>,
): Promise<void> {
  if (!flame) return;
  if (profileUrl === undefined) throw new Error(`${title}: the process serves no profiles`);
  const seconds = quick ? 3 : 10;
  note(`profiling ${title} for ${seconds} s`);
  // The load is there before the profile begins and goes on until after it has ended.
  const loaded = load(seconds + 2);
  const response = await fetch(`${profileUrl}profile?seconds=${seconds}`, {
    signal: AbortSignal.timeout((seconds + 30) * 1_000),
  });
  const text = await response.text();
  await loaded;
  if (!response.ok) throw new Error(`${title}: no profile: ${text}`);
  const profile: CpuProfile = JSON.parse(text);
  await mkdir(dirname(flame.file), { recursive: true });
  await writeFile(flame.file, renderFlame(treeOf(profile), title));
  await writeFile(`${flame.file}.cpuprofile`, text);
  note(`${flame.file} shows where CPU time went`);
}
