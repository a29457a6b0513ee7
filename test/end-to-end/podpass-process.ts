import { join } from 'node:path';
import { freePorts } from '../parts/free-ports.ts';
import { projectRoot } from '../parts/locations.ts';
import { type ProcessOptions, startProcess } from '../parts/process.ts';
import { type Scope, stopWith } from '../parts/scope.ts';

export type LogLine = Readonly<Record<string, unknown>> & { readonly msg?: string };

/** A podpass process as an operator sees it: its log, its telemetry address, its process id. */
export interface PodpassProcess {
  readonly pid: number;
  /** How it ended, in words; `undefined` while it runs. */
  readonly ended: string | undefined;
  /** Every line of its log so far, parsed. */
  readonly log: readonly LogLine[];
  /** Resolves when `/readyz` says so. @throws Error with the log when that takes too long. */
  untilReady(): Promise<void>;
  /** What `/readyz` says now. */
  readyz(): Promise<{ readonly status: number; readonly body: string }>;
  /** What its telemetry address answers. */
  get(path: string): Promise<{ readonly status: number; readonly body: string }>;
  /** The sum of a metric over those of its series that have these labels. */
  metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number>;
  /** See `PartProcess`. */
  stopReading(): void;
  readAgain(): void;
  hangUp(): void;
  /** As `kill -9`: it has no time for a last word. */
  kill(): Promise<void>;
  /** As Kubernetes ends it: SIGTERM. */
  terminate(): Promise<void>;
}

/** How a process is run, where that is not as always. */
export interface RunOptions extends Pick<ProcessOptions, 'through' | 'stderr'> {
  /** Default: the sources as they are. */
  readonly program?: string;
  /** Flags of Node itself. */
  readonly nodeFlags?: readonly string[];
}

export interface PodpassOptions extends RunOptions {
  readonly scope: Scope;
  readonly command: 'server' | 'agent' | 'standalone';
  readonly flags: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export const mainScript = join(projectRoot, 'src', 'main.ts');

/** A log that can be read here, in the words of kiam or of kube2iam. */
export const logFlags = {
  agent: ['--json-log', '--level=debug'],
  server: ['--json-log', '--level=debug'],
  standalone: ['--log-format=json', '--log-level=debug'],
} as const;

const readyBound = 30_000;
const requestBound = 5_000;
const terminateBound = 20_000;

/** What other processes have compiled of the sources. What ships starts without. */
const { NODE_COMPILE_CACHE } = process.env;
const keptCompiled: Record<string, string> = NODE_COMPILE_CACHE ? { NODE_COMPILE_CACHE } : {};

/** Starts a command of podpass as a process of its own, with nothing of this one's environment. */
export async function startPodpass(options: PodpassOptions): Promise<PodpassProcess> {
  const { scope, command, flags, env = {}, program = mainScript, nodeFlags = [], through, stderr } = options;
  const [telemetryPort] = await freePorts(1);
  const telemetry = `http://127.0.0.1:${telemetryPort}`;
  const log: LogLine[] = [];
  const child = startProcess({
    title: `podpass ${command}`,
    file: process.execPath,
    args: [
      ...nodeFlags,
      program,
      command,
      ...logFlags[command],
      `--prometheus-listen-addr=127.0.0.1:${telemetryPort}`,
      ...flags,
    ],
    env: {
      PATH: process.env.PATH ?? '',
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      AWS_EC2_METADATA_DISABLED: 'true',
      ...(program === mainScript && keptCompiled),
      ...env,
    },
    bareEnv: true,
    ...(through && { through }),
    ...(stderr !== undefined && { stderr }),
    onLine: (line) => log.push(parseLine(line)),
  });
  stopWith(scope, () => child.stop());

  async function get(path: string): Promise<{ status: number; body: string }> {
    const response = await fetch(telemetry + path, { signal: AbortSignal.timeout(requestBound) });
    return { status: response.status, body: await response.text() };
  }

  return {
    pid: child.pid,
    get ended() {
      return child.ended;
    },
    log,
    stopReading: child.stopReading,
    readAgain: child.readAgain,
    hangUp: child.hangUp,
    get,
    untilReady: () =>
      child.untilReady(async () => (await get('/readyz')).status === 200, readyBound, scope.signal),
    readyz: () => get('/readyz'),
    metric: async (name, labels = {}) => sumOf((await get('/metrics')).body, name, labels),
    kill: () => child.stop('SIGKILL'),
    terminate: () => child.stop('SIGTERM', terminateBound),
  };
}

/** What is not JSON is a crash: it is kept, to be shown. */
function parseLine(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return { msg: line, level: 'crash' };
  }
}

/** Adds up the samples of a metric in Prometheus' text format. */
function sumOf(text: string, name: string, labels: Readonly<Record<string, string>>): number {
  const wanted = Object.entries(labels).map(([key, value]) => `${key}="${value}"`);
  let sum = 0;
  for (const line of text.split('\n')) {
    const [, metric, labelText = '', value] = /^([\w:]+)(?:\{(.*)\})? (\S+)/.exec(line) ?? [];
    if (metric === name && wanted.every((label) => labelText.split(',').includes(label)))
      sum += Number(value);
  }
  return sum;
}
