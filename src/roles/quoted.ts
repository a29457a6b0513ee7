/** Longer texts are cut: an annotation may have 256 kB, an event's message 1 kB. */
const longest = 160;

/** Controls, invisible format characters (which can reorder what a terminal shows), lone surrogates, odd spaces and line ends. */
const unprintable = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu;

/**
 * Quotes hostile text for a message to a person: on one line, of bounded length, and with nothing in it that a
 * terminal or a log viewer would act on.
 *
 * @example
 * ```ts
 * quoted('team/reader\n'); // "team/reader\u{a}", with the quotation marks
 * ```
 */
export function quoted(text: string): string {
  const shown = printable(cut(text).replace(/["\\]/g, '\\$&'));
  return text.length > longest ? `"${shown}"... (${text.length} characters)` : `"${shown}"`;
}

/** The same without quotation marks: for a sentence of somebody else's that has hostile text in it. */
export function defused(text: string): string {
  return printable(cut(text)) + (text.length > longest ? '...' : '');
}

/** Cutting may split a pair of surrogates; the half that is left is escaped like any other unprintable. */
function cut(text: string): string {
  return text.length > longest ? text.slice(0, longest) : text;
}

function printable(text: string): string {
  return text.replace(unprintable, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}
