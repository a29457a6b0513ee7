import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { PodpassError } from '../base/errors.ts';
import { installOnce } from './install-once.ts';
import type { CommandResult, RunCommand } from './run-command.ts';

export interface AwsCliOptions {
  /** The environment to look in and to run commands with; its `PATH` is searched. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A folder that may hold a Python environment of ours, by version: `~/.cache/podpass`. */
  readonly cacheDir: string;
  readonly run: RunCommand;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Told, for a person, before something is downloaded. */
  readonly onInstall?: (message: string) => void;
}

export type AwsCli =
  | {
      readonly kind: 'found';
      /** The whole path of the command. */
      readonly command: string;
      /** The folder it is in. */
      readonly binDir: string;
      readonly version: string;
    }
  /** `reason` says for a person what was tried and what to do. */
  | { readonly kind: 'missing'; readonly reason: string };

/**
 * The AWS CLI and all that it needs, each at one version, so that pip has nothing to work out. Version 1, because
 * version 2 is not on PyPI.
 */
export const awsCliRequirements = [
  'awscli==1.45.64',
  'botocore==1.43.64',
  'colorama==0.4.6',
  'docutils==0.19',
  'jmespath==1.1.0',
  'pyasn1==0.6.5',
  'python-dateutil==2.9.0.post0',
  'PyYAML==6.0.3',
  'rsa==4.7.2',
  's3transfer==0.19.3',
  'six==1.17.0',
  'urllib3==2.8.0',
] as const;

const pinnedVersion = '1.45.64';

/** The first minor versions that read AWS_ENDPOINT_URL_STS; an older CLI would go to the real AWS. */
const firstMinor: Readonly<Record<number, number>> = { 1: 29, 2: 13 };

const versionBound = 20_000;
const venvBound = 120_000;
const pipBound = 300_000;

/**
 * Finds an AWS CLI that can be pointed at an endpoint of ours, or installs one from PyPI (once; some 20 s).
 *
 * @throws the signal's reason. What can be expected (no Python, no network) is the outcome `missing`.
 */
export async function ensureAwsCli(options: AwsCliOptions): Promise<AwsCli> {
  const { env, cacheDir, run, clock, signal, onInstall } = options;
  const onPath = await findAwsCliOnPath(options);
  if (onPath.kind === 'found') return onPath;

  const dir = join(cacheDir, `aws-cli-${pinnedVersion}`);
  const binDir = join(dir, 'bin');
  try {
    await installOnce({
      dir,
      clock,
      signal,
      install: async () => {
        onInstall?.(`${onPath.reason}; installing version ${pinnedVersion} from PyPI into ${dir}`);
        const step = async (file: string, args: readonly string[], bound: number) =>
          demand(file, await run(file, args, { env, bound, signal }));
        await step('python3', ['-m', 'venv', dir], venvBound);
        await step(
          join(binDir, 'python3'),
          [
            '-m',
            'pip',
            'install',
            '--quiet',
            '--no-deps',
            '--disable-pip-version-check',
            ...awsCliRequirements,
          ],
          pipBound,
        );
      },
    });
  } catch (error) {
    signal.throwIfAborted();
    const message = error instanceof Error ? error.message : String(error);
    return {
      kind: 'missing',
      reason: `${onPath.reason}, and version ${pinnedVersion} could not be installed: ${message}. Install an AWS CLI of version 2.13 or newer.`,
    };
  }
  return { kind: 'found', command: join(binDir, 'aws'), binDir, version: pinnedVersion };
}

/** The first `aws` of the PATH that is new enough: what the person's own shell would run comes first. */
export async function findAwsCliOnPath({
  env,
  run,
  signal,
}: Pick<AwsCliOptions, 'env' | 'run' | 'signal'>): Promise<AwsCli> {
  const tooOld: string[] = [];
  for (const binDir of new Set((env.PATH ?? '').split(delimiter))) {
    const command = join(binDir, 'aws');
    if (!binDir.startsWith('/') || !isExecutable(command)) continue;
    const result = await run(command, ['--version'], { env, bound: versionBound, signal });
    const version = result.kind === 'exited' ? parseAwsVersion(result.stdout + result.stderr) : undefined;
    if (version && readsEndpointVariables(version))
      return { kind: 'found', command, binDir, version: version.join('.') };
    tooOld.push(`${command} is ${version ? `version ${version.join('.')}, too old` : 'of no known version'}`);
  }
  return { kind: 'missing', reason: tooOld.join('; ') || 'there is no aws command on the PATH' };
}

/** Reads `aws-cli/2.15.30 Python/3.11.8 …`, which the oldest versions write to stderr. */
export function parseAwsVersion(output: string): readonly [number, number, number] | undefined {
  const match = /^aws-cli\/(\d{1,4})\.(\d{1,4})\.(\d{1,4})\b/m.exec(output);
  return match ? [Number(match[1]), Number(match[2]), Number(match[3])] : undefined;
}

function readsEndpointVariables([major, minor]: readonly [number, number, number]): boolean {
  return major > 2 || minor >= (firstMinor[major] ?? Number.POSITIVE_INFINITY);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** @throws PodpassError ERR_SANDBOX with the last line that the command wrote. */
function demand(file: string, result: CommandResult): void {
  if (result.kind === 'failed') throw new PodpassError('ERR_SANDBOX', result.message);
  if (result.status === 0) return;
  const lastLine = `${result.stdout}\n${result.stderr}`.trim().split('\n').at(-1) ?? '';
  throw new PodpassError('ERR_SANDBOX', `${file} ended with status ${result.status}: ${lastLine.trim()}`);
}
