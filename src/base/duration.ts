/** Milliseconds in each of Go's units; podpass takes kiam's flags, which are Go durations. */
const unitMillis: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

/** Each digit can be taken in one way only: else a long text that is none would be tried in all. */
const wholePattern = /^[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/;
const partPattern = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g;

/**
 * Reads a duration in Go's syntax (`time.ParseDuration`): `10s`, `1h30m`, `500ms`, `0`.
 *
 * @returns milliseconds, or `undefined` when the text is not a duration.
 */
export function parseDuration(text: string): number | undefined {
  if (text === '0' || text === '+0' || text === '-0') return 0;
  if (text.length > 64 || !wholePattern.test(text)) return undefined;
  let millis = 0;
  for (const [, amount, unit] of text.matchAll(partPattern)) {
    millis += Number(amount) * (unitMillis[unit ?? ''] ?? 0);
  }
  return text.startsWith('-') ? -millis : millis;
}

/** Writes milliseconds as a person and Go would: `1h30m`, `10s`, `500ms`. */
export function formatDuration(millis: number): string {
  if (millis === 0) return '0s';
  if (Math.abs(millis) < 1_000) return `${Number(millis.toPrecision(3))}ms`;
  const sign = millis < 0 ? '-' : '';
  const seconds = Math.round(Math.abs(millis)) / 1_000;
  const hours = Math.floor(seconds / 3_600);
  const minutes = Math.floor((seconds % 3_600) / 60);
  const rest = Math.round((seconds % 60) * 1_000) / 1_000;
  const parts = [hours ? `${hours}h` : '', minutes ? `${minutes}m` : '', rest ? `${rest}s` : ''];
  return sign + parts.join('');
}
