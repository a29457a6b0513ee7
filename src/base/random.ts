import { randomBytes } from 'node:crypto';

/** Randomness, passed in: a simulation draws all of it from one seed. */
export interface Random {
  /** A number in [0, 1). For jitter, never for secrets. */
  next(): number;
  /** `length` bytes. From the system's generator these are fit for keys. */
  bytes(length: number): Uint8Array;
}

export const systemRandom: Random = {
  next: () => Math.random(),
  bytes: (length) => randomBytes(length),
};

/** The same sequence for the same seed (mulberry32, public domain). For tests and simulation only. */
export function createSeededRandom(seed: number): Random {
  let state = seed >>> 0;
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }
  return {
    next,
    bytes: (length) => Uint8Array.from({ length }, () => Math.floor(next() * 256)),
  };
}
