/** Text that needs no quotes in a `key=value` line. */
const plain = /^[\w.:/@+-]+$/;

/**
 * Renders one JSON log line as `time=… level=… msg=… key=value`, the shape kiam's text log has, keys in order.
 * Values are quoted as JSON strings, so a control character in user-written text never reaches the terminal.
 */
export function formatLogfmt(jsonLine: string): string {
  const { time, level, msg, ...fields } = JSON.parse(jsonLine) as Record<string, unknown>;
  const parts = [`time=${JSON.stringify(time)}`, `level=${level}`, `msg=${JSON.stringify(msg ?? '')}`];
  for (const [key, value] of Object.entries(fields).sort(byKey)) parts.push(`${key}=${formatValue(value)}`);
  return `${parts.join(' ')}\n`;
}

function byKey([a]: [string, unknown], [b]: [string, unknown]): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function formatValue(value: unknown): string {
  if (typeof value === 'string') return plain.test(value) ? value : JSON.stringify(value);
  if (value instanceof Object && 'message' in value) return JSON.stringify(value.message);
  return JSON.stringify(value) ?? 'undefined';
}
