import { setTimeout as sleep } from 'node:timers/promises';
import type { FigureId } from '../figures.ts';
import { type Measurement, measured } from '../lib/measurement.ts';
import { startNodeOfPods } from '../lib/node-of-pods.ts';
import { launchAgent } from '../lib/podpass.ts';
import { ask, credentialsPath } from '../lib/request.ts';
import { pick, type Row } from '../lib/row.ts';
import { median } from '../lib/statistics.ts';

/** How long a node is without an agent when its agent starts anew, in the bundle that ships and from the sources. */
export const startTime: Row = {
  name: 'start',
  title: 'start of an agent until it answers',
  async measure(context) {
    const { cloud, server, role } = await startNodeOfPods(context);

    /** Milliseconds from the start of the process to the first 200 for a path. */
    async function timeOf(program: 'bundle' | 'source', path: string): Promise<number> {
      const began = performance.now();
      const { child, port } = await launchAgent(cloud, { node: 'node-0', servers: [server], program });
      try {
        while (performance.now() - began < 20_000) {
          const status = await ask({ port, path }).then(
            (answer) => answer.status,
            () => 0,
          );
          if (status === 200) return performance.now() - began;
          await sleep(3);
        }
        throw new Error(`the agent did not answer: ${child.lastLines.join('\n')}`);
      } finally {
        await child.stop(2_000);
      }
    }

    const measurements: Measurement[] = [];
    for (const program of ['bundle', 'source'] as const) {
      const pings: number[] = [];
      const served: number[] = [];
      for (let i = 0; i < pick(context, 1, 3, 9); i += 1) {
        pings.push(await timeOf(program, '/ping'));
        served.push(await timeOf(program, credentialsPath(role)));
      }
      context.note(
        `from the ${program}: ${Math.round(median(pings))} ms to /ping, ${Math.round(median(served))} ms to credentials`,
      );
      const figure = (id: FigureId, values: readonly number[]) =>
        measured(id, median(values), {
          beside: `median of ${values.length}; longest ${Math.round(Math.max(...values))} ms`,
          details: values,
        });
      const prefix = program === 'bundle' ? 'start' : 'start-source';
      measurements.push(figure(`${prefix}-ping`, pings), figure(`${prefix}-credentials`, served));
    }
    return measurements;
  },
};
