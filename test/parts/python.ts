import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import { installOnce, isInstalled } from '../../src/sandbox/install-once.ts';
import { fingerprint, partsCache } from './locations.ts';
import type { FoundPart, Part, PartSource } from './part.ts';
import { runStep } from './run-step.ts';

export const requirementsFile = join(import.meta.dirname, 'requirements.txt');

const venvBound = 2 * 60_000;
const pipBound = 15 * 60_000;
const ifMissing = 'install Python 3.11 or newer with its venv module (Debian: python3-venv)';

function environmentDir(): string {
  return join(partsCache, `python-${fingerprint([requirementsFile])}`);
}

const source: PartSource = {
  kind: 'made',
  name: 'moto, boto3 and the AWS CLI (a Python environment)',
  async make(signal) {
    await installOnce({
      dir: environmentDir(),
      clock: systemClock,
      signal,
      install: async (dir) => {
        await runStep('python3', ['-m', 'venv', dir], { bound: venvBound, signal, ifMissing });
        const pip = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--disable-pip-version-check'];
        await runStep(join(dir, 'bin', 'python3'), [...pip, '-r', requirementsFile], {
          bound: pipBound,
          signal,
          ifMissing,
        });
      },
    });
  },
};

function find(name: string, command: string): FoundPart {
  const dir = environmentDir();
  if (isInstalled(dir)) return { kind: 'found', path: join(dir, 'bin', command) };
  return {
    kind: 'missing',
    reason: `${name} is not installed: run "npm run parts" (half a minute, once, needs Python 3.11)`,
  };
}

/** `boto3==1.43.64` of requirements.txt, as `1.43.64`. */
export function pinnedVersion(distribution: string, requirements: string): string {
  const version = requirements.split('\n').find((line) => line.startsWith(`${distribution}==`));
  if (!version) throw new Error(`${distribution} is not in requirements.txt`);
  return version.slice(distribution.length + 2).trim();
}

const pinned = (distribution: string) => pinnedVersion(distribution, readFileSync(requirementsFile, 'utf8'));

/** AWS as an independent project emulates it, and AWS's own clients in Python. */
export const pythonParts: readonly Part[] = [
  { name: 'moto', version: `moto ${pinned('moto')}`, source, find: () => find('moto', 'moto_server') },
  { name: 'boto3', version: `boto3 ${pinned('boto3')}`, source, find: () => find('boto3', 'python3') },
  { name: 'aws', version: `AWS CLI ${pinned('awscli')}`, source, find: () => find('the AWS CLI', 'aws') },
];
