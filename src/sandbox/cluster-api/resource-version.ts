import { badRequest, done, type Outcome } from './status.ts';

/** Reads a resource version that a client sends back. None counts as 0, which stands for "any". */
export function parseResourceVersion(text: string): Outcome<number> {
  const version = Number(text || 0);
  if (/^\d*$/.test(text) && Number.isSafeInteger(version)) return done(version);
  return badRequest(`invalid resource version ${JSON.stringify(text.slice(0, 100))}`);
}
