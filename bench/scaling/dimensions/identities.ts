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
/** Short, so that a refresh can be waited for. Each is refreshed when 40 to 47 % have passed. */
const sessionSeconds = 110;
/** Before the first second refresh. */
const longestWindow = 85;

/** A server of one cluster with more and more identities: what each costs to keep, and what its refresh costs. */
export const identities: Dimension = {
  name: 'identities',
  title: 'a server, by the identities of its pods',
  async measure(context) {
    const points: Point[] = [];
    for (const n of pick(context, [20, 100], [100, 1_000], [100, 400, 1_000]))
      points.push(await measureAt(context, n));
    return { by: 'identities', fixed: { pods, agents: nodes }, points };
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
  const heap = await liveHeapBytes(process);
  const calls = await cloud.call('countSessions', 'team-role-');
  const look = () => ({ cpu: cpuSecondsOf(process.pid), bytes: trafficOf(agents.pid).read });
  const before = look();
  const began = performance.now();
  const elapsed = () => (performance.now() - began) / 1e3;
  if (!smoke) {
    note(`${n} identities: waiting until each session has been refreshed once`);
    while (elapsed() < longestWindow && (await cloud.call('countSessions', 'team-role-')) < calls + n)
      await sleep(1_000);
    // What was fetched last is pushed, too.
    await sleep(500);
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
      windowSeconds: elapsed(),
    }),
  };
  return { n, values };
}
