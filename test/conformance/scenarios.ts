import {
  acrossExpiry,
  beforeAndAfter,
  credentialsLate,
  expiringIn,
  knownLate,
  replaced,
  staleToken,
  underFaults,
} from './drive.ts';
import type { Fault } from './fault-proxy.ts';
import type { Outcome } from './outcome.ts';
import type { Scenario, ScenarioGroup } from './scenario.ts';

const anyRole: readonly Outcome[] = ['role', 'role by IMDSv1'];
const roleOrLater: readonly Outcome[] = [...anyRole, 'fails, then role'];

const silence: Fault = { kind: 'silence' };
const reset: Fault = { kind: 'reset' };
const status = (code: number): Fault => ({ kind: 'answer', status: code });
const delay = (millis: number): Fault => ({ kind: 'delay', millis });

const served: readonly Scenario[] = [
  {
    name: 'imds-v1',
    title: 'IMDSv1: PUT is refused on the way (405), so the client has no session token',
    needsV1: true,
    wanted: ['role by IMDSv1'],
    run: underFaults({ token: status(405) }, { token: status(405) }),
  },
  { name: 'imds-v2', title: 'IMDSv2', wanted: ['role'], run: underFaults({}) },
  {
    name: 'v2-required',
    title: 'IMDSv2, with `--imds=v2-required`',
    agent: 'v2-required',
    wanted: ['role'],
    run: underFaults({}),
  },
  {
    name: 'v1-disabled',
    title: 'IMDSv2, with `AWS_EC2_METADATA_V1_DISABLED=true` in the pod',
    env: { AWS_EC2_METADATA_V1_DISABLED: 'true' },
    wanted: ['role'],
    run: underFaults({}),
  },
  {
    name: 'new-pod',
    title: 'a new pod: podpass hears of it 200 ms after its first request',
    wanted: ['role'],
    run: knownLate(200),
  },
  {
    name: 'agent-replaced',
    title: 'another process of the agent answers after the session token was given',
    wanted: ['role'],
    run: replaced,
  },
  {
    name: 'across-expiry',
    title: 'sessions end while the client lives: it comes to new keys, and no call fails',
    wanted: ['role'],
    isIdle: true,
    run: acrossExpiry,
  },
];

const refused: readonly Scenario[] = [
  {
    name: 'late-pod',
    title: 'podpass hears of the pod 4 s after its first request (503)',
    isTight: true,
    wanted: roleOrLater,
    run: knownLate(4_000),
  },
  {
    name: 'slow-sts',
    title: 'STS takes 4 s for the pod’s first credentials (503)',
    isTight: true,
    wanted: roleOrLater,
    run: credentialsLate(4_000),
  },
  {
    name: 'role-added',
    title: 'a pod without a role (404), which is given one',
    wanted: roleOrLater,
    run: beforeAndAfter(
      async ({ world, pod }) => {
        await world.createNamespace(pod);
        await world.createPod(pod, false);
      },
      ({ world, pod }) => world.annotate(pod, 'pod'),
    ),
  },
  {
    name: 'role-permitted',
    title: 'a role that the namespace forbids (403), and then permits',
    wanted: roleOrLater,
    run: beforeAndAfter(
      async ({ world, pod }) => {
        await world.createNamespace(pod, false);
        await world.createPod(pod);
      },
      ({ world, pod }) => world.annotate(pod, 'namespace'),
    ),
  },
];

const putFaults: readonly (readonly [name: string, title: string, fault: Fault])[] = [
  ['403', '403', status(403)],
  ['404', '404', status(404)],
  ['503', '503', status(503)],
  ['timeout', 'is not answered', silence],
  ['reset', 'is reset', reset],
];

const tokens: readonly Scenario[] = [
  ...putFaults.map(([name, title, fault]) => ({
    name: `put-${name}`,
    title: `PUT ${title}`,
    wanted: roleOrLater,
    run: underFaults({ token: fault }),
  })),
  ...putFaults.map(([name, title, fault]) => ({
    name: `put-${name}-required`,
    title: `PUT ${title}, with \`--imds=v2-required\` behind it`,
    agent: 'v2-required' as const,
    wanted: roleOrLater,
    run: underFaults({ token: fault }),
  })),
  {
    name: 'put-403-get-403',
    title: 'PUT 403, and GET without a token 403 where podpass answers 401',
    agent: 'v2-required',
    wanted: roleOrLater,
    run: underFaults(
      {
        token: status(403),
        list: { kind: 'tokenless', status: 403 },
        credentials: { kind: 'tokenless', status: 403 },
      },
      { list: { kind: 'tokenless', status: 403 }, credentials: { kind: 'tokenless', status: 403 } },
    ),
  },
  {
    name: 'put-empty',
    title: 'PUT 200 without a token',
    wanted: roleOrLater,
    run: underFaults({ token: { kind: 'answer', status: 200, body: '' } }),
  },
  {
    name: 'put-no-ttl',
    title: 'PUT 200 without the header of its TTL',
    wanted: roleOrLater,
    run: underFaults({
      token: { kind: 'without-header', name: 'x-aws-ec2-metadata-token-ttl-seconds' },
    }),
  },
  {
    name: 'stale-token',
    title: 'the session token is no longer good (401) when new credentials are due',
    wanted: ['role'],
    isIdle: true,
    run: staleToken,
  },
];

const gets: readonly Scenario[] = [
  ...[401, 403, 404, 500].map((code) => ({
    name: `get-${code}`,
    title: `GET of the credentials ${code}`,
    wanted: roleOrLater,
    run: underFaults({ credentials: status(code) }),
  })),
  {
    name: 'get-empty',
    title: 'GET of the credentials 200 with nothing in it',
    wanted: roleOrLater,
    run: underFaults({ credentials: { kind: 'answer', status: 200, body: '' } }),
  },
  {
    name: 'list-empty',
    title: 'GET of the list 200 with nothing in it, as kube2iam answered',
    wanted: roleOrLater,
    run: underFaults({ list: { kind: 'answer', status: 200, body: '' } }),
  },
  ...[300, 900].map((millis) => ({
    name: `get-slow-${millis}`,
    title: `GET of the credentials after ${millis} ms`,
    wanted: anyRole,
    isTight: true as const,
    run: underFaults({ credentials: delay(millis) }),
  })),
  {
    name: 'get-slow-6000',
    title: 'GET of the credentials after 6 s',
    wanted: roleOrLater,
    run: underFaults({ credentials: delay(6_000) }),
  },
  ...[2, 10, 20, 40, 60].map((minutes) => ({
    name: `expiry-${minutes}`,
    title: `credentials with ${minutes} min left`,
    wanted: anyRole,
    run: expiringIn(minutes * 60),
  })),
];

/** Every row of the table, in its order. */
export const scenarioGroups: readonly ScenarioGroup[] = [
  {
    title: 'What podpass does',
    least: 'good',
    text: 'Every client gets its role at its first call, whatever version of the protocol it speaks, and keeps having one.',
    scenarios: served,
  },
  {
    title: 'What podpass refuses for a time',
    least: 'fair',
    text:
      'The first call comes before the pod may have its role, the second after. A client that asks again within one ' +
      'call may get it in the first.',
    scenarios: refused,
  },
  {
    title: 'Session tokens, under faults that podpass has not',
    least: 'any',
    text: 'A proxy between client and podpass answers PUT in its own way during the first call, and is out of the way in the second.',
    scenarios: tokens,
  },
  {
    title: 'Credentials, under faults that podpass has not',
    least: 'any',
    text: 'The same for the GET of credentials. Where their expiry is changed it is so in both calls.',
    scenarios: gets,
  },
];

export const scenarios: readonly Scenario[] = scenarioGroups.flatMap(({ scenarios: own }) => own);
