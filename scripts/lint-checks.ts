import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../src/sandbox/run-command.ts';
import { compareFolders } from './same-files.ts';
import { checkSource } from './source-rules.ts';

export interface LintOptions {
  readonly root: string;
  /** Puts right what a tool can put right by itself. */
  readonly fix: boolean;
  readonly signal: AbortSignal;
}

/** One thing that must hold of the source. */
export interface LintCheck {
  readonly name: string;
  /** @returns what is wrong, for a person; empty when it holds. */
  run(options: LintOptions): Promise<string>;
}

const toolBound = 5 * 60_000;

/** Runs a tool of node_modules; whatever it wrote is what is wrong when its status is not 0. */
async function tool({ root, signal }: LintOptions, name: string, ...args: string[]): Promise<string> {
  const file = join(root, 'node_modules', '.bin', name);
  const result = await runCommand(file, args, { bound: toolBound, signal, env: process.env, cwd: root });
  if (result.kind === 'failed') return result.message;
  if (result.status === 0) return '';
  return `${result.stdout}${result.stderr}`.trim() || `${name} ended with status ${result.status}`;
}

async function generatedIsCurrent(options: LintOptions): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'podpass-generated-'));
  try {
    const failure = await tool(options, 'buf', 'generate', '--output', dir);
    if (failure !== '') return failure;
    const folder = join('src', 'wire', 'gen');
    const lines = compareFolders(join(dir, folder), join(options.root, folder));
    return lines.length === 0 ? '' : `${lines.join('\n')}\nRun "npm run generate" and commit what it writes.`;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function sourceRules({ root }: LintOptions): string {
  return globSync('src/**/*.ts', { cwd: root })
    .sort()
    .flatMap((path) => checkSource(path.replaceAll('\\', '/'), readFileSync(join(root, path), 'utf8')))
    .join('\n');
}

export const lintChecks: readonly LintCheck[] = [
  {
    name: 'format and lint (biome)',
    run: (options) =>
      tool(options, 'biome', 'check', '--error-on-warnings', ...(options.fix ? ['--write'] : []), '.'),
  },
  { name: 'types (tsc)', run: (options) => tool(options, 'tsc', '--noEmit', '-p', '.') },
  {
    name: 'who may import whom (dependency-cruiser)',
    run: (options) => tool(options, 'depcruise', '--config', '.dependency-cruiser.cjs', 'src'),
  },
  { name: 'proto files (buf)', run: (options) => tool(options, 'buf', 'lint') },
  { name: 'generated code is current', run: generatedIsCurrent },
  { name: 'length, clock, randomness, environment', run: async (options) => sourceRules(options) },
];
