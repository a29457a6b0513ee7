import { setTimeout as sleep } from 'node:timers/promises';
import { type PodSpec, podAddress } from '../cloud/pod-object.ts';
import { startCloud } from '../cloud/start-cloud.ts';
import { startNodeAgents, untilServed } from '../lib/fed-server.ts';
import { measured } from '../lib/measurement.ts';
import { type ServerProcess, startServer } from '../lib/podpass.ts';
import type { Row } from '../lib/row.ts';

const servers = 2;
const nodes = 8;
const pods = 400;
const identities = 20;
/** Refreshed when 40 to 47 % of it have passed. */
const sessionSeconds = 110;
/** At the end of this every session has been refreshed twice and none a third time. */
const watchedSeconds = 115;
const periods = 3;

/** Calls of STS by all servers together. Sessions are made short, so that refreshes can be waited for. */
export const stsCalls: Row = {
  name: 'sts-calls',
  title: `calls of STS for ${servers} servers, ${nodes} agents, ${pods} pods, ${identities} identities`,
  async measure({ quick, note, onEnd }) {
    const cloud = await startCloud();
    onEnd(cloud.stop);
    await cloud.call('setSessionSeconds', sessionSeconds);
    await cloud.call(
      'createPods',
      Array.from(
        { length: pods },
        (_, i): PodSpec => ({
          name: `pod-${i}`,
          node: `node-${i % nodes}`,
          address: podAddress(i),
          role: `shared-${i % identities}`,
        }),
      ),
    );
    const running: ServerProcess[] = [];
    for (let i = 0; i < servers; i += 1) {
      const server = await startServer(cloud, { shortSessions: true });
      onEnd(server.stop);
      running.push(server);
    }
    const agents = await startNodeAgents(cloud, running, nodes);
    onEnd(agents.stop);
    await untilServed(agents, pods);
    if (!quick) {
      note(`waiting ${watchedSeconds} s, in which each session is refreshed twice`);
      await sleep(watchedSeconds * 1_000);
    }
    const calls = await cloud.call('countSessions', 'shared-');
    const byRole = await cloud.call('countSessionsByRole', 'shared-');
    const watched = quick ? 1 : periods;
    return [
      measured('sts-calls', calls / identities / watched, {
        beside: `${calls} calls in ${watched} period${watched === 1 ? '' : 's'}; from ${Math.min(...Object.values(byRole))} to ${Math.max(...Object.values(byRole))} for one identity`,
        details: byRole,
      }),
    ];
  },
};
