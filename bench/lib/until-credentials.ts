import { setTimeout as sleep } from 'node:timers/promises';
import type { PodSpec } from '../cloud/pod-object.ts';
import { ask, credentialsPath } from './request.ts';

/** On a busy machine a call of STS may be late and be made again, with a back-off. */
const longestWait = 120_000;

/** Asks as a pod until it has credentials. @throws Error with what it was told last */
export async function untilCredentials(port: number, { name, address, role = '' }: PodSpec): Promise<void> {
  const began = performance.now();
  for (;;) {
    const { status, body } = await ask({ port, path: credentialsPath(role), from: address });
    if (status === 200) return;
    if (performance.now() - began > longestWait)
      throw new Error(`${name} got no credentials in ${longestWait / 1e3} s, but ${status}: ${body}`);
    await sleep(20);
  }
}
