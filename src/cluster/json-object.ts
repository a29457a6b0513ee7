/** A JSON object of which nothing is known yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object's own member, or `undefined`: never what it inherits, whatever the key is called. */
export function member(value: unknown, key: string): unknown {
  return isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** The member where it is text of at most `maxLength` UTF-16 units, else the empty string. */
export function textMember(value: unknown, key: string, maxLength: number): string {
  const text = member(value, key);
  return typeof text === 'string' && text.length <= maxLength ? text : '';
}
