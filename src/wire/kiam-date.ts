/** A date as kiam's messages carry it: `2026-01-01T00:00:00Z`, whole seconds, UTC. */
export function kiamDate(millis: number): string {
  return `${new Date(millis).toISOString().slice(0, 19)}Z`;
}

/** Reads such a date: milliseconds since the Unix epoch, or `undefined` when it is none. */
export function readKiamDate(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text)) return undefined;
  const millis = Date.parse(text);
  // JavaScript takes a 30th of February for the 2nd of March, on which nothing that ends in February is valid.
  return Number.isNaN(millis) || kiamDate(millis) !== text ? undefined : millis;
}
