/**
 * Whether `text` matches an IAM wildcard: `*` is any run of characters, `?` is exactly one, everything else is itself.
 * Takes at most `pattern.length * text.length` steps, whatever the pattern.
 */
export function matchesWildcard(pattern: string, text: string): boolean {
  let at = 0;
  let position = 0;
  // Where to go on when a later character does not fit: one character further under the last star.
  let star = -1;
  let underStar = 0;
  while (position < text.length) {
    const wanted = pattern[at];
    if (wanted === '*') {
      star = at++;
      underStar = position;
    } else if (wanted !== undefined && (wanted === '?' || wanted === text[position])) {
      at++;
      position++;
    } else if (star >= 0) {
      at = star + 1;
      position = ++underStar;
    } else {
      return false;
    }
  }
  while (pattern[at] === '*') at++;
  return at === pattern.length;
}
