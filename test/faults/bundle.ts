import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../parts/locations.ts';

/** Set by `npm run test:faults`, which has built what ships. */
export const builtVariable = 'PODPASS_FAULTS_BUILT';

const buildBound = 120_000;

/** The path of what ships, built from the sources as they are. */
export async function bundle(): Promise<string> {
  if (process.env[builtVariable] !== '1') {
    const script = join(projectRoot, 'scripts', 'build.ts');
    await promisify(execFile)(process.execPath, [script], { cwd: projectRoot, timeout: buildBound });
  }
  return join(projectRoot, 'dist', 'podpass.mjs');
}
