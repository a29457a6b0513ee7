/** Text, or child elements by name in order. */
export type XmlContent = string | { readonly [name: string]: XmlContent };

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/**
 * Writes one element. Control characters that XML 1.0 cannot hold become the replacement character.
 *
 * @example
 * ```ts
 * writeXml('Error', { Code: 'AccessDenied', Message: 'no' }, 'https://example.org/');
 * ```
 */
export function writeXml(name: string, content: XmlContent, namespace?: string): string {
  const attribute = namespace ? ` xmlns="${escapeXml(namespace)}"` : '';
  const inner =
    typeof content === 'string'
      ? escapeXml(content)
      : Object.entries(content)
          .map(([child, value]) => writeXml(child, value))
          .join('');
  return `<${name}${attribute}>${inner}</${name}>`;
}

function escapeXml(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters XML forbids
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
      .replace(/[&<>"']/g, (character) => escapes[character] ?? character)
  );
}
