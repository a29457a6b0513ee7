import type { Mutant } from './mutate.ts';

/**
 * The protections that the checker has to miss when they are gone. Each was put there for a reason; the simulation is
 * worth what it can tell of them.
 */
export const mutants: readonly Mutant[] = [
  {
    name: 'remembered-address',
    what: 'no answer is remembered by address, not for a moment',
    file: 'src/broker/table-broker.ts',
    find: '  function ask(address: string): Answer {\n',
    replace: `  const last = new Map<string, { readonly at: number; readonly answer: Answer }>();
  function ask(address: string): Answer {
    const remembered = last.get(address);
    if (remembered && clock.monotonic() - remembered.at < 2_000) return remembered.answer;
    const answer = askNow(address);
    if (isConclusive(answer, 'credentials')) last.set(address, { at: clock.monotonic(), answer });
    return answer;
  }
  function askNow(address: string): Answer {
`,
  },
  {
    name: 'address-conflict',
    what: 'an address that two pods claim is nobody’s',
    file: 'src/identity/address-index.ts',
    find: ": { kind: 'ambiguous', items: claimants };",
    replace: ": { kind: 'found', item: claimants.at(-1) ?? first };",
  },
  {
    name: 'finished-pods',
    what: 'a finished pod owns no address',
    file: 'src/identity/address-claims.ts',
    find: "  return phase === 'Succeeded' || phase === 'Failed';",
    replace: '  return phase === undefined;',
  },
  {
    name: 'requested-role',
    what: 'the role that is asked for is the one that the pod is bound to',
    file: 'src/metadata/answer-reply.ts',
    find: 'if (role !== undefined && !isRequestedRole(requested, role)) return notTheRole;',
    replace: 'if (role === undefined && requested === undefined) return notTheRole;',
  },
  {
    name: 'namespace-rule',
    what: 'a change of what a namespace permits is applied to its pods',
    file: 'src/broker/decider.ts',
    find: `      entry.decision = options.decide(entry.pod, namespace);
      refresh(entry);
    }
  }`,
    replace: '    }\n  }',
  },
  {
    name: 'annotation-change',
    what: 'a change of a pod’s annotations is applied',
    file: 'src/broker/decider.ts',
    find: 'if (!sameAnnotations(known.pod, pod) || !sameAddresses(known.pod, pod) || known.namespace !== namespace)',
    replace: 'if (known.namespace !== namespace)',
  },
  {
    name: 'external-id',
    what: 'sessions of different external ids are different sessions',
    file: 'src/credentials/session-key.ts',
    find: 'externalId ?? null]',
    replace: 'null]',
  },
  {
    name: 'single-flight',
    what: 'a session that is wanted again while it is fetched is fetched once',
    file: 'src/credentials/session-cache.ts',
    find: 'const entry: Entry = entries.get(key) ?? {',
    replace:
      'const known = entries.get(key);\n      const entry: Entry = (known && !known.session.calling && known) || {',
  },
  {
    name: 'call-budget',
    what: 'calls of STS stay within their budget',
    file: 'src/credentials/token-bucket.ts',
    find: 'if (tokens < 1 - rounding) return false;',
    replace: '',
  },
  {
    name: 'expiry',
    what: 'what is about to expire is not served',
    file: 'src/credentials/refresh-schedule.ts',
    find: 'export const minimumValidMillis = 60_000;',
    replace: 'export const minimumValidMillis = -600_000;',
  },
  {
    name: 'node-scope',
    what: 'an agent is given the pods of its own node',
    file: 'src/wire/agent-gate.ts',
    find: 'if (named !== undefined && named !== agent.nodeName) return refuseOther(agent, named);',
    replace: "if (named !== undefined && named !== agent.nodeName) return { kind: 'allowed', node };",
  },
  {
    name: 'old-events',
    what: 'an event that is older than what is known is ignored',
    file: 'src/cluster/store.ts',
    find: `    upsert(object) {
      if (isOld(object)) return;`,
    replace: '    upsert(object) {',
  },
  {
    name: 'relist',
    what: 'what a list does not have any more is gone',
    file: 'src/cluster/store.ts',
    find: 'for (const held of [...byUid.values()]) if (isGone(held)) drop(held);',
    replace: '',
  },
  {
    name: 'full-state',
    what: 'what a server does not tell of any more is gone from its agent',
    file: 'src/wire/pod-ledger.ts',
    find: 'for (const [uid, { round: told }] of [...held]) if (told !== round) drop(uid);',
    replace: '',
  },
  {
    name: 'behind',
    what: 'an agent does not go by a server that knows less than it was told',
    file: 'src/broker/currency.ts',
    find: "if (isBehind(pods.position, requirement.seen.pods)) return 'behind';\n      if (isBehind(namespaces.position, requirement.seen.namespaces)) return 'behind';",
    replace: '',
  },
  {
    name: 'token-owner',
    what: 'a session token is good for the pod that it was made for',
    file: 'src/metadata/session-token.ts',
    find: '.update(token.subarray(0, payloadBytes)).update(uid).digest();',
    replace: '.update(token.subarray(0, payloadBytes)).update(uid.slice(0, 0)).digest();',
  },
  {
    name: 'token-required',
    what: 'a request without a token is refused where one is required',
    file: 'src/metadata/metadata-handler.ts',
    find: "if (exchange.headers.token === undefined && options.imds === 'v2-required') return tokenMissing;",
    replace: '',
  },
  {
    name: 'host-network',
    what: 'a pod on the network of its node is never told by address: three locks, all of them open',
    file: 'src/broker/decider.ts',
    find: 'return !pod.hostNetwork && !isFinished(pod);',
    replace: 'return !isFinished(pod);',
    also: [
      {
        file: 'src/identity/address-claims.ts',
        find: 'if (pod.hostNetwork || pod.nodeName',
        replace: 'if (pod.nodeName',
      },
      {
        file: 'src/identity/address-claims.ts',
        find: ' && !ofNode.includes(address)',
        replace: '',
      },
    ],
  },
  {
    name: 'watch-silence',
    what: 'a watch that says nothing for three minutes is opened again',
    file: 'src/cluster/reflector.ts',
    find: '  silenceMillis: 180_000,',
    replace: '  silenceMillis: 180_000_000,',
  },
  {
    name: 'push',
    what: 'what changed of a session is pushed to the agent',
    file: 'src/broker/decider.ts',
    find: 'lease: sessions.acquire(wanted, () => publish(entry)),',
    replace: 'lease: sessions.acquire(wanted, () => {}),',
  },
  {
    name: 'clock-steps',
    what: 'a clock that was set is noticed',
    file: 'src/credentials/clock-steps.ts',
    find: 'if (stepped) onStep();',
    replace: 'if (stepped && offset === Number.POSITIVE_INFINITY) onStep();',
  },
  {
    name: 'expired-answer',
    what: 'what has expired by a clock that was wrong is looked at again',
    file: 'src/broker/table-broker.ts',
    find: 'if (!hasExpired) answers.set(view, answer);',
    replace: 'answers.set(view, answer);',
  },
  {
    name: 'age',
    what: 'credentials grow old by the monotonic clock, too',
    file: 'src/credentials/refresh-schedule.ts',
    find: 'return Math.min(byWall, byAge);',
    replace: 'return byAge === Number.POSITIVE_INFINITY ? byAge : byWall;',
  },
  {
    name: 'out-of-touch',
    what: 'an agent leaves a server that is out of touch with the API for one that is not',
    file: 'src/broker/currency.ts',
    find: "return watches.every(({ status }) => status.kind === 'live');",
    replace: 'return true;',
  },
  {
    name: 'agent-age',
    what: 'credentials grow old at an agent by its monotonic clock, too',
    file: 'src/wire/credential-age.ts',
    find: 'return session.credentials.goodUntil - minimumValidMillis - now;',
    replace: 'return session.credentials.goodUntil + 1e9 - now;',
  },
];
