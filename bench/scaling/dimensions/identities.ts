import { setTimeout as sleep } from 'node:timers/promises';
import { startCloud } from '../../cloud/start-cloud.ts';
import { startFedServer } from '../../lib/fed-server.ts';
import { liveHeapBytes } from '../../lib/heap.ts';
import { cpuSecondsOf, trafficOf } from '../../lib/process-facts.ts';
import { pick, type RowContext } from '../../lib/row.ts';
import type { Point } from '../series.ts';
import type { Dimension } from './dimension.ts';
import { spreadPods } from './spread-pods.ts';

const nodes = 20;
const pods = 1_200;
/** Short, so that a refresh can be waited for. Each is refreshed when 40 to 47 % have passed: once in a window. */
const sessionSeconds = 110;
const windowSeconds = 58;

/** A server of one cluster with more and more identities: what each costs to keep, and what its refresh costs. */
export const identities: Dimension = {
  name: 'identities',
  title: 'a server, by the identities of its pods',
  async measure(context) {
    const points: Point[] = [];
    for (const n of pick(context, [20, 100], [100, 1_000], [100, 400, 1_000]))
      points.push(await measureAt(context, n));
    return { by: 'identities', fixed: { pods, agents: nodes, windowSeconds }, points };
  },
};

async function measureAt(context: RowContext, n: number): Promise<Point> {
  const { smoke, note, onEnd } = context;
  const cloud = await startCloud();
  onEnd(cloud.stop);
  await cloud.call('setSessionSeconds', sessionSeconds);
  await cloud.call('createPods', spreadPods({ from: 0, count: pods, nodes, identities: n }));
  const { process, agents, untilServed } = await startFedServer(cloud, {
    nodes,
    onEnd,
    stsRate: 600,
    shortSessions: true,
  });
  await untilServed(pods);
  const began = performance.now();
  const heap = await liveHeapBytes(process);
  const calls = await cloud.call('countSessions', 'team-role-');
  const look = () => ({ cpu: cpuSecondsOf(process.pid), bytes: trafficOf(agents.pid).read });
  const before = look();
  if (!smoke) {
    note(`${n} identities: waiting ${windowSeconds} s, in which each session is refreshed once`);
    await sleep(windowSeconds * 1e3 - (performance.now() - began));
  }
  const after = look();
  const all = await cloud.call('countSessions', 'team-role-');
  await agents.stop();
  await process.stop();
  await cloud.stop();
  const values = {
    heapKb: heap / 1e3,
    stsCalls: calls,
    ...(!smoke && {
      refreshStsCalls: all - calls,
      refreshCpuMs: (after.cpu - before.cpu) * 1e3,
      refreshBytes: after.bytes - before.bytes,
    }),
  };
  return { n, values };
}
