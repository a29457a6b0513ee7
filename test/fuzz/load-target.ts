import type { FuzzTarget } from './fuzz-target.ts';

/** Loads a target, and what it reaches, as it is: nothing is counted. */
export async function loadTarget(name: string): Promise<FuzzTarget> {
  const { target } = (await import(`./targets/${name}.ts`)) as { target: FuzzTarget };
  if (target.name !== name) throw new Error(`targets/${name}.ts calls its target ${target.name}`);
  return target;
}
