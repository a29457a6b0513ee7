/**
 * A value in Terraform's syntax, laid out as `terraform fmt` does. `expressions` maps texts to the expressions that
 * stand in their place: `var.external_id`.
 */
export function hclValue(value: unknown, expressions: ReadonlyMap<string, string>, indent: string): string {
  const inner = `${indent}  `;
  if (typeof value === 'string') return expressions.get(value) ?? hclText(value);
  if (Array.isArray(value)) {
    const lines = value.map((entry: unknown) => `${inner}${hclValue(entry, expressions, inner)},\n`);
    return `[\n${lines.join('')}${indent}]`;
  }
  // With colons, as in JSON: equals signs would have to be put into columns.
  const lines = Object.entries(Object(value)).map(
    ([key, entry]) => `${inner}${hclText(key)} : ${hclValue(entry, expressions, inner)},\n`,
  );
  return `{\n${lines.join('')}${indent}}`;
}

/** A quoted text: nothing in it begins an interpolation or a directive. */
export function hclText(text: string): string {
  return JSON.stringify(text).replace(/[$%](?=\{)/g, '$&$&');
}
