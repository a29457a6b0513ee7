/** C0 and C1 controls, line and paragraph separators, and the marks that reorder text on a terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for.
const unprintable = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g;

/**
 * Text that somebody else wrote, made fit for one line of a message: runs of control characters become a space, and
 * it is cut so that its UTF-8 form has at most `maxBytes` bytes, never within a character.
 */
export function cleanText(text: string, maxBytes: number): string {
  // A character is at least one byte: what is beyond cannot be kept, so it need not be looked at.
  const bounded = text.slice(0, maxBytes).replace(unprintable, ' ').trim().toWellFormed();
  if (Buffer.byteLength(bounded) <= maxBytes) return bounded;
  const bytes = Buffer.from(bounded);
  let end = maxBytes;
  // 10xxxxxx continues a character: step back to where one begins.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end);
}
