import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault, Target } from './fault-proxy.ts';
import { type Call, outcomeOf, resultOf } from './outcome.ts';
import type { Cell, CellResult } from './scenario.ts';

type Faults = Readonly<Partial<Record<Target, Fault>>>;

/** A pod as most are: known for long, with credentials waiting. */
export async function warm({ world, pod }: Cell): Promise<void> {
  await world.createNamespace(pod);
  await world.createPod(pod);
  await world.untilServed(pod);
}

function strike({ proxy }: Cell, faults: Faults): void {
  proxy.faults.clear();
  for (const [target, fault] of Object.entries(faults) as [Target, Fault][]) proxy.faults.set(target, fault);
}

/** The call that is due, and after a failure the same with a new client object. */
async function callAgain(cell: Cell, first: Call): Promise<CellResult> {
  const calls = [first, await cell.call()];
  if (resultOf(first, cell.pod.arn) === 'fails' && resultOf(calls[1] ?? first, cell.pod.arn) === 'fails')
    calls.push(await cell.call('new'));
  return { outcome: outcomeOf(calls, cell.pod.arn), calls };
}

/** A call under faults, and one after them. `after`: what goes on. */
export function underFaults(faults: Faults, after: Faults = {}) {
  return async (cell: Cell): Promise<CellResult> => {
    await warm(cell);
    strike(cell, faults);
    const first = await cell.call();
    strike(cell, after);
    return callAgain(cell, first);
  };
}

/** A call in a pod that does not get its role yet, and one when it does. */
export function beforeAndAfter(
  before: (cell: Cell) => Promise<void>,
  meanwhile: (cell: Cell) => Promise<void>,
) {
  return async (cell: Cell): Promise<CellResult> => {
    await before(cell);
    const first = await cell.call();
    await meanwhile(cell);
    await cell.world.untilServed(cell.pod);
    return callAgain(cell, first);
  };
}

/** The pod becomes known so many milliseconds after its first request has come. */
export function knownLate(millis: number) {
  return async (cell: Cell): Promise<CellResult> => {
    const { world, pod, proxy } = cell;
    await world.createNamespace(pod);
    const { promise: asked, resolve } = Promise.withResolvers<void>();
    proxy.onRequest = () => resolve();
    const created = asked.then(() => sleep(millis)).then(() => world.createPod(pod));
    const first = await cell.call();
    // A client that never asked: the pod is created all the same.
    resolve();
    await created;
    await world.untilServed(pod);
    return callAgain(cell, first);
  };
}

/** STS takes so many milliseconds for the credentials of a pod that is there when its first request comes. */
export function credentialsLate(millis: number) {
  return async (cell: Cell): Promise<CellResult> => {
    const { world, pod, proxy } = cell;
    world.addStsFault(pod, { kind: 'latency', millis, times: 1 });
    await world.createNamespace(pod);
    let created: Promise<void> | undefined;
    // Not before: however long a client takes to start, it meets the wait.
    proxy.onRequest = () => {
      created ??= world.createPod(pod);
      return created;
    };
    const first = await cell.call();
    await proxy.onRequest('other');
    await world.untilServed(pod);
    return callAgain(cell, first);
  };
}

/** Another process of the agent answers from the first GET on. */
export async function replaced(cell: Cell): Promise<CellResult> {
  const { world, proxy } = cell;
  await warm(cell);
  proxy.onRequest = (target) => {
    if (target !== 'token') proxy.upstreamPort = world.portOf('successor');
  };
  return callAgain(cell, await cell.call());
}

/** Credentials state so many seconds to go. The note says what the client makes of that. */
export function expiringIn(seconds: number) {
  return async (cell: Cell): Promise<CellResult> => {
    await warm(cell);
    strike(cell, { credentials: { kind: 'expiry', seconds } });
    const calls = [await cell.call()];
    const seenBefore = cell.proxy.seen.length;
    calls.push(await cell.call());
    // Some ask behind the call.
    await sleep(behindMillis);
    const asked = cell.proxy.seen.slice(seenBefore).some(({ target }) => target !== 'other');
    const outcome = outcomeOf(calls, cell.pod.arn);
    return { outcome, calls, ...(asked ? { note: 'asks at each call' } : {}) };
  };
}

const behindMillis = 1_000;
const pollSeconds = 5;
/** Seconds. Half of it is what podpass needs to have left at least. */
const shortestSession = 130;
/** Beyond the second at which a client ought to have asked again. */
const slackSeconds = 20;

/**
 * Real sessions that end, shorter than those of AWS, replaced by podpass as always. What a client is told of their end
 * is moved to where its own habit of looking for new ones comes into play soon. It calls all the time: until it has new
 * keys, and where its habit is quick beyond the end of the first.
 */
export async function acrossExpiry(cell: Cell): Promise<CellResult> {
  const { world, pod, refresh, keys } = cell;
  // podpass renews at half and serves nothing that ends within a minute.
  const sessionSeconds = Math.max(shortestSession, 2 * (refresh.after + slackSeconds));
  world.addStsFault(pod, { kind: 'early-expiry', seconds: sessionSeconds, announced: true });
  await warm(cell);
  strike(cell, { credentials: { kind: 'expiry', seconds: refresh.servedWith } });
  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1_000;
  const calls: Call[] = [];
  const endOfFirst = sessionSeconds === shortestSession ? sessionSeconds : 0;
  const bound = Math.max(sessionSeconds / 2, refresh.after) + 2 * slackSeconds;
  let renewedAfter: number | undefined;
  while (renewedAfter === undefined ? seconds() < bound : seconds() < endOfFirst + pollSeconds) {
    const call = await cell.call();
    calls.push(call);
    if (resultOf(call, pod.arn) !== 'role') break;
    if (renewedAfter === undefined && keys.at(-1) !== keys[0]) renewedAfter = seconds();
    await sleep(pollSeconds * 1_000);
  }
  const last = calls.at(-1);
  const result = last ? resultOf(last, pod.arn) : 'breaks';
  if (result === 'fails') return { outcome: 'role, then fails', calls };
  if (result !== 'role') return { outcome: result, calls };
  if (renewedAfter === undefined) return { outcome: 'keeps old keys', calls };
  return { outcome: 'role', note: `new keys after ${Math.round(renewedAfter)} s`, calls };
}

/** The session token of the first call is no longer good when the client looks for new credentials. */
export async function staleToken(cell: Cell): Promise<CellResult> {
  const { proxy, refresh, pod } = cell;
  await warm(cell);
  const expiry: Fault = { kind: 'expiry', seconds: refresh.servedWith };
  strike(cell, { credentials: expiry });
  const calls = [await cell.call()];
  const seenBefore = proxy.seen.length;
  proxy.age();
  strike(cell, { credentials: { kind: 'stale-tokens' }, list: { kind: 'stale-tokens' } });
  await sleep((refresh.after + 2) * 1_000);
  calls.push(await cell.call());
  // Some renew behind the call, and have the new keys in the next one.
  await sleep(pollSeconds * 1_000);
  calls.push(await cell.call());
  const outcome = outcomeOf(calls, pod.arn);
  const since = proxy.seen.slice(seenBefore);
  const renewed = since.some(({ target, status }) => target === 'credentials' && status === 200);
  return { outcome: outcome === 'role' && !renewed ? 'keeps old keys' : outcome, calls };
}
