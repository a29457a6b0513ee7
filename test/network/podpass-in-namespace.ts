import { type LogLine, logFlags, mainScript } from '../end-to-end/podpass-process.ts';
import { partPath } from '../parts/catalogue.ts';
import { startProcess } from '../parts/process.ts';
import { type Scope, stopWith } from '../parts/scope.ts';
import type { PodCommands } from './pod-worker.ts';
import type { Worker } from './worker.ts';

/** A podpass process on the network of a namespace. */
export interface NamespacedPodpass {
  readonly pid: number;
  readonly ended: string | undefined;
  /** Its log so far, parsed. */
  readonly log: readonly LogLine[];
  untilReady(): Promise<void>;
  /** What its telemetry address answers. */
  telemetry(path: string): Promise<string>;
  kill(): Promise<void>;
  terminate(): Promise<void>;
}

export interface NamespacedPodpassOptions {
  readonly namespace: string;
  readonly command: keyof typeof logFlags;
  readonly flags: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly telemetryPort: number;
  /** A process in the same namespace, which asks it whether it is ready. */
  readonly neighbour: Worker<PodCommands>;
}

/** Both are generous: machines are busy, and a process that ends by itself is noticed at once. */
const readyMillis = 60_000;
const terminateMillis = 30_000;

export function startPodpassIn(scope: Scope, options: NamespacedPodpassOptions): NamespacedPodpass {
  const { namespace, command, flags, env = {}, telemetryPort: port, neighbour } = options;
  const log: LogLine[] = [];
  const child = startProcess({
    title: `podpass ${command}`,
    file: partPath('ip'),
    args: [
      ...['netns', 'exec', namespace, process.execPath, mainScript, command],
      ...[...logFlags[command], `--prometheus-listen-addr=127.0.0.1:${port}`, ...flags],
    ],
    env: {
      PATH: process.env.PATH ?? '',
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      AWS_EC2_METADATA_DISABLED: 'true',
      ...env,
    },
    bareEnv: true,
    onLine: (line) => log.push(line.startsWith('{') ? JSON.parse(line) : { msg: line, level: 'crash' }),
  });
  stopWith(scope, () => child.stop());

  async function get(path: string) {
    return neighbour.ask({ host: '127.0.0.1', port, path });
  }

  return {
    pid: child.pid,
    get ended() {
      return child.ended;
    },
    log,
    untilReady: () =>
      child.untilReady(
        async () => {
          const answer = await get('/readyz');
          return answer.kind === 'answered' && answer.status === 200;
        },
        readyMillis,
        scope.signal,
      ),
    async telemetry(path) {
      const answer = await get(path);
      return answer.kind === 'answered' ? answer.body : answer.code;
    },
    kill: () => child.stop('SIGKILL'),
    terminate: () => child.stop('SIGTERM', terminateMillis),
  };
}
