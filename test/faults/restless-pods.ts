import { setTimeout } from 'node:timers/promises';
import type { Random } from '../../src/base/random.ts';
import type { ClusterWriter, FaultPod } from './cluster-writer.ts';
import type { Door } from './fault-world.ts';
import type { HistoryEvent } from './history.ts';
import { startPodClient } from './pod-client.ts';

export interface AskingPodsOptions {
  readonly writer: ClusterWriter;
  readonly random: Random;
  readonly record: (event: HistoryEvent) => void;
  readonly pauseMillis: number;
}

/** Pods whose SDKs ask all the time, and whose answers are noted. */
export interface AskingPods {
  /** A pod that stays. */
  settle(door: Door, address: string): Promise<void>;
  /** One pod after the other at one address, each with one role after the other, until `calm`. */
  unsettle(door: Door, address: string): void;
  /** Whoever is there stays: resolves when nothing changes any more. */
  calm(): Promise<void>;
  stop(): Promise<void>;
}

/** Each pod has a role of its own, and each change is to a new one: whoever gets another's credentials is found out. */
export function createAskingPods({ writer, random, record, pauseMillis }: AskingPodsOptions): AskingPods {
  const stops: (() => Promise<void>)[] = [];
  const restless: Promise<void>[] = [];
  const calming = new AbortController();
  let last = 0;

  function next({ name: door, nodeName }: Door, address: string): FaultPod {
    last += 1;
    return { name: `asking-${last}`, door, nodeName, address, role: `role-${last}` };
  }

  function ask({ door, address }: FaultPod, port: number) {
    return startPodClient({
      door,
      port,
      address,
      pauseMillis,
      record: (request) => record({ kind: 'request', ...request }),
    });
  }

  const somewhile = () => setTimeout(2_000 + random.next() * 13_000);

  async function change(door: Door, address: string): Promise<void> {
    for (;;) {
      const pod = next(door, address);
      await writer.add(pod);
      const client = ask(pod, door.port);
      await somewhile();
      if (!calming.signal.aborted && random.next() < 0.5) {
        await writer.setRole(pod, `${pod.role}-changed`);
        await somewhile();
      }
      if (calming.signal.aborted) {
        stops.push(client.stop);
        return;
      }
      // kubelet: the containers end before the pod is gone and its address free.
      await client.stop();
      await writer.remove(pod);
      await setTimeout(random.next() * 1_000);
    }
  }

  return {
    async settle(door, address) {
      const pod = next(door, address);
      await writer.add(pod);
      stops.push(ask(pod, door.port).stop);
    },
    unsettle(door, address) {
      restless.push(change(door, address));
    },
    async calm() {
      calming.abort();
      await Promise.all(restless);
    },
    async stop() {
      await Promise.all(stops.map((stop) => stop()));
    },
  };
}
