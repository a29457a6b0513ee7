import { appendFileSync } from 'node:fs';

/** A file that takes what was measured: a line of JSON each. `npm run test:faults` shows them at its end. */
export const figuresVariable = 'PODPASS_FAULTS_FIGURES';

export interface Figure {
  readonly what: string;
  readonly value: string;
}

/** Notes what was measured, for a person. */
export function note(what: string, value: string | number): void {
  const figure: Figure = { what, value: String(value) };
  const file = process.env[figuresVariable];
  if (file === undefined) console.log(`${what}: ${value}`);
  else appendFileSync(file, `${JSON.stringify(figure)}\n`);
}
