/** Gives back the one copy of a text that is held already. */
export type Interner = (text: string) => string;

/** Longer texts are as good as unique. */
const maxInternedLength = 256;

/**
 * JSON.parse makes a new string for each occurrence. A cluster's node names, namespaces and role names repeat ten
 * thousand times; keeping one copy of each saves about a third of what a pod costs. When `limit` different texts are
 * held all are forgotten: objects made before keep theirs, and what repeats is soon known again.
 */
export function createInterner(limit = 20_000): Interner {
  const known = new Map<string, string>();
  return (text) => {
    if (text.length > maxInternedLength) return text;
    const held = known.get(text);
    if (held !== undefined) return held;
    if (known.size >= limit) known.clear();
    known.set(text, text);
    return text;
  };
}
