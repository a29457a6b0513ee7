import { goParts } from './go-parts.ts';
import { kiamPeerPart } from './kiam-peer.ts';
import type { Part } from './part.ts';
import { pythonParts } from './python.ts';
import { systemParts } from './system-parts.ts';

/** Every part that a test may ask for. */
export const parts: readonly Part[] = [...goParts, kiamPeerPart, ...pythonParts, ...systemParts];

/** @throws Error naming the parts there are, for a name that is none. */
export function partNamed(name: string): Part {
  const part = parts.find((candidate) => candidate.name === name);
  if (part) return part;
  throw new Error(`there is no part "${name}"; there are: ${parts.map((known) => known.name).join(', ')}`);
}

/**
 * The command of a part, for a suite that asked for it with `needs`.
 *
 * @throws Error saying how to get it, where it is missing.
 */
export function partPath(name: string): string {
  const found = partNamed(name).find();
  if (found.kind === 'found') return found.path;
  throw new Error(found.reason);
}
