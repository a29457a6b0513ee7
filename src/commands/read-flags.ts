import { type Command, InvalidArgumentError } from 'commander';
import { PodpassError } from '../base/errors.ts';
import { environmentName, type Flag, type FlagTable, type FlagValues } from './flags.ts';
import { fullName } from './full-name.ts';

/** The variables of a process, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What a person gave for a flag, and where. */
interface Given {
  /** `--json-log` or `PODPASS_JSON_LOG`, for messages. */
  readonly by: string;
  /** Whether the name is one that older versions had. */
  readonly isOldName: boolean;
  /** Of the command line there may be several. */
  readonly value: boolean | readonly string[];
}

/**
 * The values of a table's flags after the command line has been parsed. The command line wins over the environment,
 * and a name of today over an old one. A flag that was given to the command above counts too:
 * `podpass sandbox --manifests DIR exec …` is what it looks like.
 *
 * @throws PodpassError ERR_USAGE that names the flag or the variable
 */
export function readFlags<F extends FlagTable>(
  command: Command,
  table: F,
  env: Environment = process.env,
): FlagValues<F> {
  const values: Record<string, unknown> = {};
  const missing: Flag<unknown>[] = [];
  for (const [key, definition] of Object.entries(table)) {
    const given = findGiven(command, definition, env);
    if (given !== undefined) values[key] = readGiven(command, definition, given);
    else if (definition.required) missing.push(definition);
    else values[key] = definition.default;
  }
  if (missing.length > 0) {
    const flags = missing.map(({ name, placeholder }) => `--${name} ${placeholder ?? ''}`.trim());
    const variables = missing.map(({ name }) => environmentName(name));
    throw usage(command, `missing: ${flags.join(', ')}; give them, or set ${variables.join(', ')}`);
  }
  return values as FlagValues<F>;
}

/**
 * One line about those flags that were given and are not to be given any more; `undefined` if there are none. kiam's
 * manifests must run as they are, and who runs them should know what does nothing.
 */
export function describeObsolete(
  command: Command,
  table: FlagTable,
  env: Environment = process.env,
): string | undefined {
  const useless = new Map<string, string[]>();
  const renamed: string[] = [];
  for (const definition of Object.values(table)) {
    const given = findGiven(command, definition, env);
    if (given === undefined) continue;
    if (definition.retired !== undefined)
      useless.set(definition.retired, [...(useless.get(definition.retired) ?? []), given.by]);
    else if (given.isOldName) renamed.push(`${given.by} is now --${definition.name}`);
  }
  const reasons = [...useless].map(([because, names]) => `${names.join(', ')}, because ${because}`);
  const sentences = [
    reasons.length === 0 ? '' : `these flags have no effect here: ${reasons.join('; ')}; remove them`,
    renamed.length === 0 ? '' : `these flags have new names: ${renamed.join(', ')}; rename them`,
  ].filter((sentence) => sentence !== '');
  return sentences.length === 0 ? undefined : sentences.join('. ');
}

function findGiven(command: Command, definition: Flag<unknown>, env: Environment): Given | undefined {
  const names = [definition.name, ...(definition.renamed ?? [])];
  for (const name of names) {
    const value = onCommandLine(command, name);
    if (value === undefined) continue;
    const by = value === false ? `--no-${name}` : `--${name}`;
    return { by, isOldName: name !== definition.name, value };
  }
  for (const name of names) {
    const isOldName = name !== definition.name;
    const variables = [environmentName(name), ...(isOldName ? [] : [definition.alsoEnv])];
    for (const by of variables) {
      const text = by === undefined ? undefined : env[by];
      if (by === undefined || text === undefined || text === '' || isServiceLink(by, text)) continue;
      return { by, isOldName, value: [text] };
    }
  }
  return undefined;
}

function onCommandLine(command: Command, name: string): boolean | readonly string[] | undefined {
  const key = name.replaceAll(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  for (let at: Command | null = command; at; at = at.parent)
    if (at.getOptionValueSource(key) === 'cli') return at.getOptionValue(key) as boolean | readonly string[];
  return undefined;
}

/** Where there is a Service called `podpass`, Kubernetes sets PODPASS_PORT in each pod, to `tcp://10.0.0.1:443`. */
function isServiceLink(variable: string, text: string): boolean {
  return variable.endsWith('_PORT') && /^(?:tcp|udp|sctp):\/\//.test(text);
}

function readGiven(command: Command, definition: Flag<unknown>, { by, isOldName, value }: Given): unknown {
  if (typeof value === 'boolean') return value;
  const parse = (isOldName ? definition.parseRenamed : undefined) ?? definition.parse ?? parseBoolean;
  const read = (text: string) => readText(command, parse, by, text);
  if (definition.repeated) return value.flatMap((text) => read(text) as unknown[]);
  return read(value.at(-1) ?? '');
}

function readText(command: Command, parse: (text: string) => unknown, by: string, text: string): unknown {
  try {
    if (by.startsWith('--') && text.startsWith('--'))
      throw new InvalidArgumentError('that is another flag, and the value before it is missing');
    return parse(text);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw usage(command, `${by} ${quoted(text)}: ${error.message}`);
  }
}

/** A boolean of the environment, as Go's strconv.ParseBool takes them. */
function parseBoolean(text: string): boolean {
  if (/^(?:1|t|T|TRUE|true|True)$/.test(text)) return true;
  if (/^(?:0|f|F|FALSE|false|False)$/.test(text)) return false;
  throw new InvalidArgumentError('it must be true or false');
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}

function usage(command: Command, text: string): PodpassError {
  return new PodpassError('ERR_USAGE', `${text}, try "${fullName(command)} --help"`);
}
