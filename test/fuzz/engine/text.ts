/** Separates the fields of an input that has several; no border of podpass gives it a meaning. */
export const fieldSeparator = '\u001e';

/** The fields of an input as text, `count` of them, the last with all that is left. Bad UTF-8 becomes U+FFFD. */
export function fieldsOf(input: Uint8Array, count: number): string[] {
  const fields = textOf(input).split(fieldSeparator);
  const rest = fields.slice(count - 1).join(fieldSeparator);
  return Array.from({ length: count }, (_, i) => (i === count - 1 ? rest : (fields[i] ?? '')));
}

/** The same with a separator between, for seeds. */
export function joined(...fields: string[]): string {
  return fields.join(fieldSeparator);
}

export function textOf(input: Uint8Array): string {
  return Buffer.from(input.buffer, input.byteOffset, input.byteLength).toString('utf8');
}
