/** What a client's `client.json` says. README.md beside this file explains each key. */
export interface Manifest {
  /** The head of its column: `Go v2`. */
  readonly title: string;
  /** What the client says it is when it starts: `aws-sdk-go-v2 1.48.0`. A run fails where it is another. */
  readonly sdk: string;
  /** Commands that must be on the PATH. */
  readonly needs: readonly string[];
  /** What a person installs to have them. */
  readonly install: string;
  /** Commands that make it, in order, run in the client's folder. `{out}` is where to, `{dir}` the folder. */
  readonly build: readonly (readonly string[])[];
  /** The command that is the client. */
  readonly run: readonly string[];
  /** Whether it can use IMDSv1 at all. */
  readonly speaksV1: boolean;
  readonly refresh: RefreshHabit;
}

/** When a client looks for new credentials by itself. Seconds. */
export interface RefreshHabit {
  /** What the credentials it is given have left. */
  readonly servedWith: number;
  /** After so long its next call fetches others. */
  readonly after: number;
}

/**
 * Reads a manifest.
 *
 * @throws Error naming the key that is wrong, or that nobody knows.
 */
export function parseManifest(text: string): Manifest {
  const value: unknown = JSON.parse(text);
  if (!isObject(value)) throw new Error('it is not a JSON object');
  const { title, sdk, needs, install, build, run, speaksV1 = true, refresh, ...unknown } = value;
  const [stranger] = Object.keys(unknown);
  if (stranger !== undefined) throw new Error(`there is no key "${stranger}"`);
  if (!Array.isArray(build)) throw new Error('"build" must be a list of commands, which may be empty');
  if (typeof speaksV1 !== 'boolean') throw new Error('"speaksV1" must be true or false');
  if (!isObject(refresh)) throw new Error('"refresh" must be an object');
  return {
    title: textOf('title', title),
    sdk: textOf('sdk', sdk),
    needs: textsOf('needs', needs),
    install: textOf('install', install),
    build: build.map((command) => commandOf('build', command)),
    run: commandOf('run', run),
    speaksV1,
    refresh: {
      servedWith: secondsOf('refresh.servedWith', refresh.servedWith, 1),
      after: secondsOf('refresh.after', refresh.after, 0),
    },
  };
}

/** A command with its placeholders replaced. */
export function fillIn(command: readonly string[], places: { readonly out: string; readonly dir: string }) {
  return command.map((word) => word.replaceAll('{out}', places.out).replaceAll('{dir}', places.dir));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(key: string, value: unknown): string {
  if (typeof value !== 'string' || value === '') throw new Error(`"${key}" must be a text`);
  // It stands in a table of Markdown, and on a terminal.
  if (/[|\p{Cc}]/u.test(value)) throw new Error(`"${key}" has a character that no table can hold`);
  return value;
}

function textsOf(key: string, value: unknown): string[] {
  if (!Array.isArray(value)) throw new Error(`"${key}" must be a list of texts`);
  return value.map((element) => textOf(key, element));
}

function commandOf(key: string, value: unknown): string[] {
  const command = textsOf(key, value);
  if (command.length === 0) throw new Error(`"${key}" has a command without a word`);
  return command;
}

function secondsOf(key: string, value: unknown, least: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= 21_600) return value;
  throw new Error(`"${key}" must be whole seconds from ${least} to 21600`);
}
