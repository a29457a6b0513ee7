import { startCloud } from '../../cloud/start-cloud.ts';
import { startNodeAgents, untilServed } from '../../lib/fed-server.ts';
import { type ServerProcess, startServer } from '../../lib/podpass.ts';
import { memoryOf } from '../../lib/process-facts.ts';
import { pick } from '../../lib/row.ts';
import type { Point } from '../series.ts';
import type { Dimension } from './dimension.ts';
import { spreadPods } from './spread-pods.ts';

const nodes = 8;
const pods = 400;
const identities = 50;

/** More and more servers of one cluster: calls of STS must not grow with them. */
export const replicas: Dimension = {
  name: 'replicas',
  title: 'calls of STS, by replicas of the server',
  async measure(context) {
    const { note, onEnd } = context;
    const points: Point[] = [];
    for (const n of pick(context, [1, 2], [1, 2, 3], [1, 2, 3, 5])) {
      const cloud = await startCloud();
      onEnd(cloud.stop);
      await cloud.call('createPods', spreadPods({ from: 0, count: pods, nodes, identities }));
      const servers: ServerProcess[] = [];
      for (let i = 0; i < n; i += 1) {
        const server = await startServer(cloud);
        onEnd(server.stop);
        servers.push(server);
      }
      const agents = await startNodeAgents(cloud, servers, nodes);
      onEnd(agents.stop);
      await untilServed(agents, pods);
      const stsCalls = await cloud.call('countSessions', 'team-role-');
      const residentMb = servers.reduce((sum, { pid }) => sum + memoryOf(pid).residentMb, 0);
      points.push({ n, values: { stsCalls, residentMb } });
      note(`${n} servers: ${stsCalls} calls of STS for ${identities} identities`);
      await agents.stop();
      for (const { stop } of servers) await stop();
      await cloud.stop();
    }
    return { by: 'replicas', fixed: { agents: nodes, pods, identities }, points };
  },
};
