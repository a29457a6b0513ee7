/** Tells the bench something: a line of JSON. */
export function say(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** What the bench gave to this program. */
export function input<T>(): T {
  return JSON.parse(process.argv.at(-1) ?? '') as T;
}
