import { setTimeout as sleep } from 'node:timers/promises';
import { bareInput } from '../lib/compare-door.ts';
import { idleCpuPercent } from '../lib/idle-cpu.ts';
import type { Measurement } from '../lib/measurement.ts';
import { podsOfANode, startNodeOfPods } from '../lib/node-of-pods.ts';
import { nodeFlags } from '../lib/podpass.ts';
import { type MemoryFacts, memoryOf } from '../lib/process-facts.ts';
import { startProgram } from '../lib/program.ts';
import { ask, credentialsPath } from '../lib/request.ts';
import type { Row } from '../lib/row.ts';
import { runWrk } from '../lib/wrk.ts';

/** Memory of an agent with a full node after a load, beside a bare server's after the same; then its CPU at rest. */
export const agent: Row = {
  name: 'agent',
  title: `memory and idle CPU of an agent with ${podsOfANode} pods`,
  async measure({ quick, note, onEnd }) {
    const node = await startNodeOfPods({ onEnd });
    const path = credentialsPath(node.role);
    const bare = await startProgram(
      'bare-http',
      bareInput(await ask({ port: node.agent.port, path })),
      nodeFlags.agent,
    );
    onEnd(bare.stop);
    const { port: barePort } = await bare.next<{ port: number }>();
    const before = memoryOf(node.agent.pid);
    const seconds = quick ? 3 : 15;
    const after = async (pid: number, port: number): Promise<MemoryFacts> => {
      note(`loading for ${seconds} s`);
      await runWrk({ url: `http://127.0.0.1:${port}${path}`, connections: 64, seconds });
      return memoryOf(pid);
    };
    const floor = await after(bare.pid, barePort);
    const loaded = await after(node.agent.pid, node.agent.port);

    // What a load leaves behind (idle connections, garbage) is not what is asked about here.
    await sleep(quick ? 2_000 : 5_000);
    const idleSeconds = quick ? 5 : 30;
    note(`watching it do nothing for ${idleSeconds} s`);
    const [agentCpu = Number.NaN, bareCpu = Number.NaN] = await idleCpuPercent(
      [node.agent.pid, bare.pid],
      idleSeconds,
    );
    const memory = (kind: keyof MemoryFacts, what: string, atMost: number): Measurement => ({
      what: `agent, ${podsOfANode} pods, after load: ${what} memory`,
      value: loaded[kind],
      unit: 'MB',
      budget: { atMost },
      beside: `bare server ${floor[kind].toFixed(1)} MB; the agent before the load ${before[kind].toFixed(1)} MB`,
    });
    return [
      memory('anonymousMb', 'anonymous', 40),
      memory('residentMb', 'resident', 90),
      {
        what: `agent, ${podsOfANode} pods, idle: CPU`,
        value: agentCpu,
        unit: '% of a core',
        budget: { atMost: 0.1 },
        beside: `bare server ${bareCpu.toFixed(3)} %; over ${idleSeconds} s`,
      },
    ];
  },
};
