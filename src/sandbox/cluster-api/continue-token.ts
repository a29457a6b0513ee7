import { textAt } from './json.ts';
import { badRequest, done, type Outcome } from './status.ts';

/** Where a list that comes in pages goes on: after this position, in the snapshot of this version. */
export interface ListPosition {
  readonly resourceVersion: number;
  readonly after: string;
}

/** Clients pass it back and never look inside. */
export function formatContinueToken({ resourceVersion, after }: ListPosition): string {
  return Buffer.from(JSON.stringify({ rv: resourceVersion, after })).toString('base64url');
}

export function parseContinueToken(text: string): Outcome<ListPosition> {
  try {
    const value = JSON.parse(Buffer.from(text, 'base64url').toString());
    const resourceVersion = Number(textAt(value, 'rv') || Number.NaN);
    const after = textAt(value, 'after');
    if (Number.isSafeInteger(resourceVersion) && after) return done({ resourceVersion, after });
  } catch {
    // Said below, as for any other text that is not ours.
  }
  return badRequest('continue key is not valid: it was not given out by this server');
}
