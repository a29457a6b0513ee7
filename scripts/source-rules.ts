/** The longest that a file written by hand may be, in bytes. */
export const longestFile = 20_000;

interface Rule {
  readonly pattern: RegExp;
  readonly message: string;
}

/** CONTRIBUTING.md: time, randomness and I/O are passed in. */
const rules: readonly Rule[] = [
  { pattern: /\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(/, message: 'reads the clock: take a Clock' },
  {
    pattern: /(?<![.\w])(?:setTimeout|setInterval)\(/,
    message: 'sets a timer by itself: take a Clock',
  },
  { pattern: /\bMath\.random\(/, message: 'draws a random number: take a Random' },
  { pattern: /\bprocess\.env\b/, message: 'reads the environment: take what it needs as an option' },
];

/** Where time and randomness come from, where the environment is read, and what only tests use. */
const exempt = [
  /^src\/main\.ts$/,
  /^src\/commands\//,
  /^src\/.*\/testing\//,
  /^src\/base\/(clock|random)\.ts$/,
];

/**
 * What is wrong with one file of src by the rules that no other tool checks.
 *
 * @param path relative to the project, with `/`.
 * @returns a line for each mistake: `src/a.ts:12 reads the clock: take a Clock`.
 */
export function checkSource(path: string, text: string): string[] {
  if (path.endsWith('.test.ts') || path.startsWith('src/wire/gen/')) return [];
  const mistakes: string[] = [];
  const bytes = Buffer.byteLength(text);
  if (bytes > longestFile)
    mistakes.push(`${path} has ${bytes} bytes, more than ${longestFile}: it is two files`);
  if (exempt.some((pattern) => pattern.test(path))) return mistakes;
  for (const [index, line] of withoutComments(text).split('\n').entries()) {
    for (const { pattern, message } of rules)
      if (pattern.test(line)) mistakes.push(`${path}:${index + 1} ${message}`);
  }
  return mistakes;
}

/** The same lines without what comments say, as far as these rules need it: strings are left alone. */
function withoutComments(text: string): string {
  return text
    .replaceAll(/\/\*[\s\S]*?\*\//g, (comment) => comment.replaceAll(/[^\n]/g, ''))
    .replaceAll(/(^|\s)\/\/[^\n]*/g, '$1');
}
