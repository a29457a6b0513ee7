import type { Answer } from './client-process.ts';
import type { SeenRequest } from './fault-proxy.ts';

/** What became of a client in one scenario. These words stand in the table. */
export type Outcome =
  | 'role'
  | 'role by IMDSv1'
  | 'fails, then role'
  | 'fails, new client gets role'
  | 'fails, stays without'
  | 'role, then fails'
  | 'keeps old keys'
  | 'another role'
  | 'hangs'
  | 'breaks'
  /** It cannot do what the scenario asks for. */
  | '–';

/** How a client did, for somebody who looks at colours. */
export type Verdict = 'good' | 'fair' | 'bad';

/** The client has work to do that it never does again, or did what must never happen. */
const bad: readonly Outcome[] = [
  'fails, stays without',
  'role, then fails',
  'keeps old keys',
  'another role',
  'hangs',
  'breaks',
];

/** @param wanted what can be asked of a client in the scenario */
export function judge(outcome: Outcome, wanted: readonly Outcome[]): Verdict {
  if (outcome === '–' || wanted.includes(outcome)) return 'good';
  return bad.includes(outcome) ? 'bad' : 'fair';
}

/** One call of a client. */
export interface Call {
  readonly answer: Answer;
  /** What it asked of the metadata service meanwhile. */
  readonly requests: readonly SeenRequest[];
  readonly millis: number;
}

/** What one call came to. */
export type CallResult = 'role' | 'fails' | 'another role' | 'hangs' | 'breaks';

export function resultOf({ answer }: Pick<Call, 'answer'>, arn: string): CallResult {
  switch (answer.kind) {
    case 'identity':
      return answer.arn === arn ? 'role' : 'another role';
    case 'error':
      return 'fails';
    case 'hangs':
      return 'hangs';
    case 'broken':
      return 'breaks';
  }
}

/**
 * The outcome of a call under a fault, one after it, and one with a new client object where that one failed too.
 */
export function outcomeOf(calls: readonly Call[], arn: string): Outcome {
  const results = calls.map((call) => resultOf(call, arn));
  for (const worst of ['another role', 'breaks', 'hangs'] as const) if (results.includes(worst)) return worst;
  const [first, second, third] = results;
  if (first === 'role')
    return second === 'fails' ? 'role, then fails' : askedWithoutToken(calls[0]) ? 'role by IMDSv1' : 'role';
  if (second === 'role') return 'fails, then role';
  return third === 'role' ? 'fails, new client gets role' : 'fails, stays without';
}

/** Whether the credentials came to a client that had no session token. */
function askedWithoutToken(call: Call | undefined): boolean {
  const answered = call?.requests.findLast(
    ({ target, status }) => target === 'credentials' && status === 200,
  );
  return answered !== undefined && !answered.withToken;
}
