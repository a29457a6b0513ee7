import type { FigureId } from '../figures.ts';
import type { BareHttpInput } from '../programs/bare-http.ts';
import { type Measurement, measured } from './measurement.ts';
import { besideText, pairedRounds, type Round, ratioOf } from './paired-rounds.ts';
import { nodeFlags } from './podpass.ts';
import { startProgram } from './program.ts';
import { ask, credentialsPath, sessionToken } from './request.ts';
import { pick, type RowContext } from './row.ts';
import { takeFlame } from './take-flame.ts';
import { runWrk } from './wrk.ts';

const connections = 64;

export interface MeasuredDoor {
  readonly name: 'agent' | 'standalone';
  readonly pid: number;
  readonly port: number;
  readonly profileUrl?: string;
  /** Of the pod that load generators are. */
  readonly role: string;
}

const versions = [
  { imds: 'IMDSv1', id: 'v1' },
  { imds: 'IMDSv2', id: 'v2' },
] as const;

/**
 * A metadata door against a bare server that answers the same bytes, in both versions of the protocol. Both are up and
 * loaded in turn; the ratio is taken in each round.
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
  for (const { imds, id } of versions) {
    const token = imds === 'IMDSv2' ? await sessionToken(door.port) : undefined;
    const load = (port: number, seconds: number) =>
      runWrk({
        url: `http://127.0.0.1:${port}${path}`,
        connections,
        seconds,
        headers: token === undefined ? {} : { 'X-aws-ec2-metadata-token': token },
      });
    const seconds = context.quick ? 1 : 5;
    const pairs = await pairedRounds({
      bare: { pid: bare.pid, load: () => load(barePort, seconds) },
      own: { pid: door.pid, load: () => load(door.port, seconds) },
      rounds: roundsOf(context),
      onPair: ({ own, bare: floor }) =>
        context.note(
          `${imds}: ${door.name} ${Math.round(own.perSecond)}/s, bare ${Math.round(floor.perSecond)}/s`,
        ),
    });
    const figure = (figureId: FigureId, read: (round: Round) => number, unit: string, digits: number) =>
      measured(figureId, ratioOf(pairs, read), {
        beside: besideText(pairs, read, { name: door.name, unit, digits }),
        details: pairs,
      });
    measurements.push(
      figure(`${door.name}-${id}-rate`, ({ perSecond }) => perSecond, 'requests/s', 0),
      figure(`${door.name}-${id}-cpu`, ({ cpuMicros }) => cpuMicros, 'µs', 2),
      figure(`${door.name}-${id}-p99`, ({ p99 }) => p99, 'ms', 2),
    );
    // Of the second version, which is what SDKs use.
    if (imds === 'IMDSv2')
      await takeFlame(context, door, `${door.name} under ${imds}`, (span) => load(door.port, span));
  }
  return measurements;
}

/** Of two processes in turn. */
export function roundsOf(context: Pick<RowContext, 'quick' | 'smoke'>): number {
  return pick(context, 1, 3, 7);
}

/** What the door answered, without what Node adds to every answer by itself. */
export function bareInput({ headers, body }: Awaited<ReturnType<typeof ask>>): BareHttpInput {
  const kept = Object.entries(headers).filter(
    ([name]) => !['date', 'connection', 'keep-alive'].includes(name),
  );
  return { headers: kept.flatMap(([name, value]) => [name, String(value)]), body };
}
