/** STS's limit for RoleSessionName. */
const maxBytes = 64;
/** kiam cuts to one less than the limit. */
const cutBytes = 63;

/** One character that STS does not allow in a RoleSessionName; of a split character, the half that is left. */
const illegal = /[^A-Za-z0-9_+=,.@-]/gu;

/**
 * The RoleSessionName, by kiam's rule, byte for byte: the pod's annotation or else the default, behind `kiam-`; when
 * that has more than 64 bytes it is cut to 63; then each character that STS does not allow becomes `-`.
 *
 * The cut counts bytes of UTF-8 and may go through a character. Go then sees each byte that is left of it as one
 * invalid character, so each becomes a `-`. CloudTrail and trust policies see the session name: one that changed
 * with the move from kiam would break both.
 *
 * @param annotation of any length; empty means absent.
 * @param defaultName kiam's `--session`, without the prefix.
 * @returns 5 to 64 of `[A-Za-z0-9_+=,.@-]`.
 */
export function sessionName(annotation: string | undefined, defaultName: string): string {
  const name = annotation || defaultName;
  // Every unit of UTF-16 is at least one byte, so what comes after this many cannot matter.
  const text = `kiam-${name.slice(0, maxBytes)}`;
  return Buffer.byteLength(text) > maxBytes ? cut(text) : text.replace(illegal, '-');
}

function cut(text: string): string {
  let room = cutBytes;
  let kept = '';
  for (const character of text) {
    const bytes = Buffer.byteLength(character);
    if (bytes > room) return kept + '-'.repeat(room);
    kept += character.replace(illegal, '-');
    room -= bytes;
  }
  return kept;
}
