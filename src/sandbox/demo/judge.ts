import type { ClientResult } from '../client.ts';
import { type DoorAnswer, reasonOf } from './ask-door.ts';
import type { Expectation } from './expectations.ts';

/** One AWS client that asked as one pod. */
export interface ClientRun {
  /** `JS v3, IMDSv1`. */
  readonly client: string;
  readonly result: ClientResult;
  readonly millis: number;
}

/** What the demo says of one pod. */
export interface Verdict {
  readonly pod: string;
  readonly ok: boolean;
  /** What the pod got: an ARN, or a status with the reason. */
  readonly got: string;
  /** What was wrong, for each client that was answered otherwise than expected. */
  readonly faults: readonly string[];
}

/** Compares what a pod saw, through its clients and at the bare door, with what it must see. */
export function judge(
  expected: Expectation,
  runs: readonly ClientRun[],
  answers: readonly DoorAnswer[],
): Verdict {
  const faults =
    expected.kind === 'role' ? judgeRole(expected.arn, runs) : judgeRefusal(expected, runs, answers);
  const [first] = answers;
  const identity = runs.find(({ result }) => result.kind === 'identity')?.result;
  const got =
    identity?.kind === 'identity'
      ? identity.arn
      : `${first?.status ?? 'no answer'} ${reasonOf(first?.body ?? '')}`;
  return { pod: expected.pod, ok: faults.length === 0, got: got.trim(), faults };
}

function judgeRole(arn: RegExp, runs: readonly ClientRun[]): string[] {
  return runs.flatMap(({ client, result }) => {
    if (result.kind === 'error') return [`${client} got no credentials: ${result.name}: ${result.message}`];
    return arn.test(result.arn) ? [] : [`${client} became ${result.arn}, expected ${arn.source}`];
  });
}

function judgeRefusal(
  { status, texts }: Expectation & { kind: 'refusal' },
  runs: readonly ClientRun[],
  answers: readonly DoorAnswer[],
): string[] {
  const leaks = runs.flatMap(({ client, result }) =>
    result.kind === 'identity' ? [`${client} became ${result.arn}, expected no credentials`] : [],
  );
  const wrong = answers.flatMap((answer) => {
    if (answer.status !== status) return [`the door answered ${answer.status}, expected ${status}`];
    const missing = texts.filter((text) => !answer.body.includes(text));
    return missing.map((text) => `the answer does not say ${JSON.stringify(text)}`);
  });
  return [...leaks, ...wrong];
}
