import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { parse } from 'yaml';
import { runCommand } from '../../src/sandbox/run-command.ts';
import { type ClusterClient, createClusterClient } from '../parts/cluster-client.ts';
import { type PartProcess, startProcess } from '../parts/process.ts';
import { mainScript } from './podpass-process.ts';
import type { suiteScope } from './suite-scope.ts';

// What tests of the sandbox do as a person does it: start it in one terminal, and run commands in another.

const commandMillis = 60_000;
const readyMillis = 30_000;
const signal = new AbortController().signal;

const folder = mkdtempSync(join(tmpdir(), 'podpass-sandbox-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A TMPDIR of its own for each sandbox: a person's own sandbox, if one runs here, is neither seen nor touched. */
let folders = 0;
export async function newFolder(): Promise<string> {
  const path = join(folder, String(++folders));
  await mkdir(path);
  return path;
}

/** Where a command runs. Nothing of the machine's own configuration is in it. */
export const environment = (temporary: string) => ({
  PATH: process.env.PATH ?? '',
  HOME: temporary,
  TMPDIR: temporary,
});

export interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end, which must not be a signal. */
export async function runIn(
  temporary: string,
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const options = { bound: commandMillis, signal, env: { ...environment(temporary), ...env } };
  const result = await runCommand(file, args, options);
  assert.ok(result.kind === 'exited', JSON.stringify(result));
  return result;
}

export function podpass(temporary: string, ...args: readonly string[]): Promise<Ended> {
  return runIn(temporary, process.execPath, [mainScript, ...args]);
}

/** A command line that asks AWS who it is, with the AWS SDK for JavaScript. */
export const whoAmI = [process.execPath, mainScript, 'sandbox', 'client'] as const;
export const arnIn = (stdout: string) => (JSON.parse(stdout) as { arn?: string }).arn;

/** A sandbox that runs in the background. */
export interface Running {
  readonly temporary: string;
  readonly process: PartProcess;
  readonly lines: readonly string[];
  readonly kubeconfig: string;
  readonly pids: readonly number[];
}

export async function startSandbox(
  scope: ReturnType<typeof suiteScope>,
  ...args: readonly string[]
): Promise<Running> {
  const temporary = await newFolder();
  const lines: string[] = [];
  const child = startProcess({
    title: 'podpass sandbox',
    file: process.execPath,
    args: [mainScript, 'sandbox', ...args],
    env: environment(temporary),
    bareEnv: true,
    onLine: (line) => lines.push(line),
  });
  scope.after(() => child.stop());
  const isReady = async () => lines.some((line) => line.startsWith('Changes appear below'));
  await child.untilReady(isReady, readyMillis, scope.signal);
  return { temporary, process: child, lines, ...readOverview(lines) };
}

/** What the sandbox prints for its user. */
export function readOverview(lines: readonly string[]): Pick<Running, 'kubeconfig' | 'pids'> {
  const text = lines.join('\n');
  const [, kubeconfig = ''] = /export KUBECONFIG=(\S+)/.exec(text) ?? [];
  const pids = Array.from(text.matchAll(/podpass (?:server|agent|standalone) +pid (\d+)/g), ([, pid]) =>
    Number(pid),
  );
  assert.equal(pids.length, 3, text);
  return { kubeconfig, pids };
}

/** Keys, certificates, kubeconfig and the word that it runs are gone. What kubectl keeps is kubectl's. */
export function assertEmpty(temporary: string): void {
  const names = readdirSync(temporary, { recursive: true, encoding: 'utf8' });
  assert.deepEqual(
    names.filter((name) => /running|pem|kubeconfig/.test(name)),
    [],
  );
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** The API as a kubeconfig says it is reached. */
export async function clientOf({ kubeconfig }: Pick<Running, 'kubeconfig'>): Promise<ClusterClient> {
  const { clusters, users } = parse(await readFile(kubeconfig, 'utf8'));
  const { server, 'certificate-authority-data': ca } = clusters[0].cluster;
  return createClusterClient(server, Buffer.from(ca, 'base64').toString(), users[0].user.token);
}
