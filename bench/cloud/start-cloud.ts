import { fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CloudCalls, CloudFacts, CloudMessage } from './protocol.ts';

/** Kubernetes and AWS, in a process of their own. */
export interface Cloud extends CloudFacts {
  readonly pid: number;
  call<Method extends keyof CloudCalls>(
    method: Method,
    argument: Parameters<CloudCalls[Method]>[0],
  ): Promise<ReturnType<CloudCalls[Method]>>;
  stop(): Promise<void>;
}

export async function startCloud(): Promise<Cloud> {
  const folder = await mkdtemp(join(tmpdir(), 'podpass-bench-'));
  const child = fork(join(import.meta.dirname, 'main.ts'), [folder], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  const ready = Promise.withResolvers<CloudFacts>();
  let lastId = 0;
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  void exited.then(() => {
    process.removeListener('exit', kill);
    const error = new Error('the process of the cluster API has ended');
    ready.reject(error);
    for (const { reject } of waiting.values()) reject(error);
  });
  child.on('message', (message: CloudMessage) => {
    if (message.kind === 'ready') {
      ready.resolve(message.facts);
      return;
    }
    const call = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.kind === 'answer') call?.resolve(message.value);
    else call?.reject(new Error(message.message));
  });

  async function stop(): Promise<void> {
    kill();
    await exited;
    await rm(folder, { recursive: true, force: true });
  }

  try {
    const facts = await ready.promise;
    return {
      ...facts,
      pid: child.pid ?? -1,
      call(method, argument) {
        lastId += 1;
        const call = Promise.withResolvers<unknown>();
        waiting.set(lastId, call);
        child.send({ id: lastId, method, argument });
        return call.promise as Promise<ReturnType<CloudCalls[typeof method]>>;
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
