import { checkAnswered } from './answered.ts';
import { checkCalls } from './calls.ts';
import type { History } from './history.ts';
import { checkServed } from './served.ts';
import type { Violation } from './violation.ts';

/** All promises that a run did not keep, in the order of time. */
export function check(history: History): Violation[] {
  return [
    ...checkServed(history),
    ...checkAnswered(history),
    ...checkCalls(history),
    ...checkLeaks(history),
  ].sort((a, b) => a.at - b.at);
}

/** An agent is told of its own node's pods and of no others. */
function checkLeaks({ leaks, pods }: History): Violation[] {
  return leaks.flatMap(({ at, server, node, podUid, hasCredentials }) => {
    const isElsewhere = pods.get(podUid)?.every(({ value }) => !value || value.node !== node);
    if (!isElsewhere) return [];
    const what = hasCredentials ? 'the credentials' : 'the state';
    return [{ rule: 'leak', at, text: `${server} told an agent of ${node} ${what} of pod ${podUid}` }];
  });
}
