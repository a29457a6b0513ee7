import { connect } from 'node:net';
import { join } from 'node:path';
import { freePorts } from '../parts/free-ports.ts';
import { startProcess } from '../parts/process.ts';
import { type Scope, stopWith } from '../parts/scope.ts';
import type { HistoryEvent } from './history.ts';

/** `small-sts.ts` as a process that can be killed, and started again at the same address. */
export interface StsProcess {
  readonly url: string;
  readonly pid: number;
  kill(): Promise<void>;
  start(): Promise<void>;
  readonly ended: string | undefined;
}

/** Somebody's credentials: this STS takes any. */
export const ownAwsEnv = {
  AWS_ACCESS_KEY_ID: 'AKIATESTTESTTESTTEST',
  AWS_SECRET_ACCESS_KEY: 'not-looked-at',
};

const readyBound = 20_000;

/** @param issued is told of each session, also of one whose receiver never heard of it */
export async function startSts(
  scope: Scope,
  issued: (event: HistoryEvent) => void,
  latencyMillis: number,
): Promise<StsProcess> {
  const [port = 0] = await freePorts(1);
  const launch = () =>
    startProcess({
      title: 'sts',
      file: process.execPath,
      args: [join(import.meta.dirname, 'small-sts.ts'), String(port), String(latencyMillis)],
      onLine(line) {
        if (line.startsWith('{')) issued({ kind: 'issued', ...JSON.parse(line) });
      },
    });
  let child = launch();
  stopWith(scope, () => child.stop());
  const untilReady = () => child.untilReady(() => isOpen(port), readyBound, scope.signal);
  await untilReady();
  return {
    url: `http://127.0.0.1:${port}`,
    get pid() {
      return child.pid;
    },
    get ended() {
      return child.ended;
    },
    kill: () => child.stop('SIGKILL'),
    async start() {
      child = launch();
      await untilReady();
    },
  };
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('close', () => socket.destroy());
    socket.once('connect', () => socket.destroy());
  });
}
