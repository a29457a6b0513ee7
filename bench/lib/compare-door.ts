import type { BareHttpInput } from '../programs/bare-http.ts';
import type { Measurement } from './measurement.ts';
import { nodeFlags } from './podpass.ts';
import { startProgram } from './program.ts';
import { ask, credentialsPath, sessionToken } from './request.ts';
import type { RowContext } from './row.ts';
import { median } from './statistics.ts';
import { type LoadResult, runWrk } from './wrk.ts';

const connections = 64;

export interface MeasuredDoor {
  /** `agent`, `standalone`. */
  readonly name: string;
  readonly port: number;
  /** Of the pod that load generators are. */
  readonly role: string;
}

/**
 * A metadata door against a bare server that answers the same bytes, in both versions of the protocol. Both are up and
 * loaded in turn, so that whatever else the machine does hits both; the ratio is taken in each round.
 */
export async function compareDoor(context: RowContext, door: MeasuredDoor): Promise<Measurement[]> {
  const path = credentialsPath(door.role);
  const bare = await startProgram(
    'bare-http',
    bareInput(await ask({ port: door.port, path })),
    nodeFlags.agent,
  );
  context.onEnd(bare.stop);
  const { port: barePort } = await bare.next<{ port: number }>();
  const measurements: Measurement[] = [];
  for (const imds of ['IMDSv1', 'IMDSv2'] as const) {
    const headers = imds === 'IMDSv1' ? {} : { 'X-aws-ec2-metadata-token': await sessionToken(door.port) };
    measurements.push(...(await compare(context, door, imds, barePort, path, headers)));
  }
  return measurements;
}

/** What the door answered, without what Node adds to every answer by itself. */
export function bareInput({ headers, body }: Awaited<ReturnType<typeof ask>>): BareHttpInput {
  const kept = Object.entries(headers).filter(
    ([name]) => !['date', 'connection', 'keep-alive'].includes(name),
  );
  return { headers: kept.flatMap(([name, value]) => [name, String(value)]), body };
}

async function compare(
  { quick, note }: RowContext,
  { name, port: doorPort }: MeasuredDoor,
  imds: string,
  barePort: number,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<Measurement[]> {
  const seconds = quick ? 1 : 5;
  const load = (port: number) =>
    runWrk({ url: `http://127.0.0.1:${port}${path}`, connections, seconds, headers });
  await load(barePort);
  await load(doorPort);
  const rounds: { bare: LoadResult; door: LoadResult }[] = [];
  for (let round = 0; round < (quick ? 3 : 7); round += 1) {
    // Each is first in every other round.
    const doorFirst = round % 2 === 1 ? await load(doorPort) : undefined;
    const bare = await load(barePort);
    const door = doorFirst ?? (await load(doorPort));
    rounds.push({ bare, door });
    note(`${imds}: ${name} ${Math.round(door.perSecond)}/s, bare ${Math.round(bare.perSecond)}/s`);
  }
  const both = (read: (result: LoadResult) => number, unit: string, digits: number) => {
    const of = (who: 'bare' | 'door') => median(rounds.map((round) => read(round[who]))).toFixed(digits);
    return `${name} ${of('door')} ${unit}, bare ${of('bare')} ${unit} (medians of ${rounds.length} rounds)`;
  };
  return [
    {
      what: `${name}: credentials, ${imds}, ${connections} connections: requests/s`,
      value: median(rounds.map(({ door, bare }) => door.perSecond / bare.perSecond)),
      unit: '× bare',
      budget: { atLeast: 0.85 },
      beside: both(({ perSecond }) => perSecond, 'requests/s', 0),
      details: rounds,
    },
    {
      what: `${name}: credentials, ${imds}, ${connections} connections: p99`,
      value: median(rounds.map(({ door, bare }) => door.p99 / bare.p99)),
      unit: '× bare',
      budget: { atMost: 1.5 },
      beside: both(({ p99 }) => p99, 'ms', 2),
    },
  ];
}
