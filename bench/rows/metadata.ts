import type { Measurement } from '../lib/measurement.ts';
import { startNodeOfPods } from '../lib/node-of-pods.ts';
import { nodeFlags } from '../lib/podpass.ts';
import { startProgram } from '../lib/program.ts';
import { ask, credentialsPath, sessionToken } from '../lib/request.ts';
import type { Row, RowContext } from '../lib/row.ts';
import { median } from '../lib/statistics.ts';
import { type LoadResult, runWrk } from '../lib/wrk.ts';
import type { BareHttpInput } from '../programs/bare-http.ts';

const connections = 64;

/**
 * The metadata door of a real agent against a bare server that answers the same bytes. Both are up and loaded in
 * turn, so that whatever else the machine does hits both; the ratio is taken in each round.
 */
export const metadata: Row = {
  name: 'metadata',
  title: 'credentials requests at the agent, warm',
  async measure(context) {
    const { agent, role } = await startNodeOfPods(context);
    const path = credentialsPath(role);
    const answer = await ask({ port: agent.port, path });
    const bare = await startProgram('bare-http', bareInput(answer), nodeFlags.agent);
    context.onEnd(bare.stop);
    const { port: barePort } = await bare.next<{ port: number }>();
    const measurements: Measurement[] = [];
    for (const imds of ['IMDSv1', 'IMDSv2'] as const) {
      const headers = imds === 'IMDSv1' ? {} : { 'X-aws-ec2-metadata-token': await sessionToken(agent.port) };
      measurements.push(...(await compare(context, imds, [barePort, agent.port], path, headers)));
    }
    return measurements;
  },
};

/** What the agent answered, without what Node adds to every answer by itself. */
export function bareInput({ headers, body }: Awaited<ReturnType<typeof ask>>): BareHttpInput {
  const kept = Object.entries(headers).filter(
    ([name]) => !['date', 'connection', 'keep-alive'].includes(name),
  );
  return { headers: kept.flatMap(([name, value]) => [name, String(value)]), body };
}

async function compare(
  { quick, note }: RowContext,
  imds: string,
  [barePort, agentPort]: readonly [number, number],
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<Measurement[]> {
  const seconds = quick ? 1 : 5;
  const load = (port: number) =>
    runWrk({ url: `http://127.0.0.1:${port}${path}`, connections, seconds, headers });
  await load(barePort);
  await load(agentPort);
  const rounds: { bare: LoadResult; agent: LoadResult }[] = [];
  for (let round = 0; round < (quick ? 3 : 7); round += 1) {
    // Each is first in every other round.
    const agentFirst = round % 2 === 1 ? await load(agentPort) : undefined;
    const bare = await load(barePort);
    const agent = agentFirst ?? (await load(agentPort));
    rounds.push({ bare, agent });
    note(`${imds}: agent ${Math.round(agent.perSecond)}/s, bare ${Math.round(bare.perSecond)}/s`);
  }
  const both = (read: (result: LoadResult) => number, unit: string, digits: number) => {
    const of = (who: 'bare' | 'agent') => median(rounds.map((round) => read(round[who]))).toFixed(digits);
    return `agent ${of('agent')} ${unit}, bare ${of('bare')} ${unit} (medians of ${rounds.length} rounds)`;
  };
  return [
    {
      what: `credentials, ${imds}, ${connections} connections: requests/s`,
      value: median(rounds.map(({ agent, bare }) => agent.perSecond / bare.perSecond)),
      unit: '× bare',
      budget: { atLeast: 0.85 },
      beside: both(({ perSecond }) => perSecond, 'requests/s', 0),
      details: rounds,
    },
    {
      what: `credentials, ${imds}, ${connections} connections: p99`,
      value: median(rounds.map(({ agent, bare }) => agent.p99 / bare.p99)),
      unit: '× bare',
      budget: { atMost: 1.5 },
      beside: both(({ p99 }) => p99, 'ms', 2),
    },
  ];
}
