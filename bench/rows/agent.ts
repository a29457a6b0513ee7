import { setTimeout as sleep } from 'node:timers/promises';
import type { FigureId } from '../figures.ts';
import { bareInput } from '../lib/compare-door.ts';
import { idleCpuPercent } from '../lib/idle-cpu.ts';
import { measured } from '../lib/measurement.ts';
import { podsOfANode, startNodeOfPods } from '../lib/node-of-pods.ts';
import { nodeFlags } from '../lib/podpass.ts';
import { type MemoryFacts, memoryOf } from '../lib/process-facts.ts';
import { startProgram } from '../lib/program.ts';
import { ask, credentialsPath } from '../lib/request.ts';
import { pick, type Row } from '../lib/row.ts';
import { runWrk } from '../lib/wrk.ts';

/** Memory of an agent with a full node after a load, beside a bare server's after the same; then its CPU at rest. */
export const agent: Row = {
  name: 'agent',
  title: `memory and idle CPU of an agent with ${podsOfANode} pods`,
  async measure(context) {
    const { note, onEnd } = context;
    const node = await startNodeOfPods(context);
    const path = credentialsPath(node.role);
    const bare = await startProgram(
      'bare-http',
      bareInput(await ask({ port: node.agent.port, path })),
      nodeFlags.agent,
    );
    onEnd(bare.stop);
    const { port: barePort } = await bare.next<{ port: number }>();
    const before = memoryOf(node.agent.pid);
    const seconds = pick(context, 1, 3, 15);
    const after = async (pid: number, port: number): Promise<MemoryFacts> => {
      note(`loading for ${seconds} s`);
      await runWrk({ url: `http://127.0.0.1:${port}${path}`, connections: 64, seconds });
      return memoryOf(pid);
    };
    const floor = await after(bare.pid, barePort);
    const loaded = await after(node.agent.pid, node.agent.port);

    // What a load leaves behind (idle connections, garbage) is not what is asked about here.
    await sleep(pick(context, 500, 2_000, 5_000));
    const idleSeconds = pick(context, 1, 5, 30);
    note(`watching it do nothing for ${idleSeconds} s`);
    const [agentCpu = Number.NaN, bareCpu = Number.NaN] = await idleCpuPercent(
      [node.agent.pid, bare.pid],
      idleSeconds,
    );
    const memory = (id: FigureId, kind: keyof MemoryFacts) =>
      measured(id, loaded[kind], {
        beside: `bare server ${floor[kind].toFixed(1)} MB; the agent before the load ${before[kind].toFixed(1)} MB`,
        details: { before, loaded, floor },
      });
    return [
      memory('agent-anonymous', 'anonymousMb'),
      memory('agent-resident', 'residentMb'),
      measured('agent-idle', agentCpu, {
        beside: `bare server ${bareCpu.toFixed(3)} %; over ${idleSeconds} s`,
      }),
    ];
  },
};
