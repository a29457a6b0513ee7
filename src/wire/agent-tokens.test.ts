import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock } from '../base/fake-clock.ts';
import { createFakeWatch } from '../broker/testing/fake-watch.ts';
import type { Pod } from '../cluster/objects.ts';
import { makePod } from '../cluster/testing/make-objects.ts';
import type { TokenIdentity, TokenReviewOutcome } from '../cluster/token-review.ts';
import { createLogger } from '../telemetry/logger.ts';
import { createAgentTokens, type TokenProof } from './agent-tokens.ts';
import { makeToken } from './testing/make-token.ts';

const agentPod = makePod({ name: 'agent', hostNetwork: true });
const identity: TokenIdentity = {
  username: 'system:serviceaccount:kube-system:podpass-agent',
  uid: 'uid-sa',
  pod: { name: 'agent', uid: 'uid-agent' },
};
const onNode1 = { ...identity, node: { name: 'node-1', uid: '' } };
const yes = (who: TokenIdentity = identity): TokenReviewOutcome => ({ kind: 'authenticated', identity: who });
const no: TokenReviewOutcome = { kind: 'refused', message: 'token has expired' };
const away: TokenReviewOutcome = { kind: 'unreachable', message: 'connection refused' };
const minute = 60_000;

function setUp(first: TokenReviewOutcome = yes(), serviceAccounts: readonly string[] = []) {
  const clock = createFakeClock();
  const pods = createFakeWatch<Pod>();
  pods.set(agentPod);
  const warnings: string[] = [];
  const write = (line: string) => warnings.push(line);
  const world = { outcome: first, reviews: 0, hang: false };
  const tokens = createAgentTokens({
    reviewer: {
      review: () => {
        world.reviews += 1;
        return world.hang ? new Promise(() => {}) : Promise.resolve(world.outcome);
      },
    },
    pods,
    serviceAccounts,
    clock,
    logger: createLogger({ level: 'warn', json: true, clock, write }),
    signal: new AbortController().signal,
  });
  const token = makeToken({ exp: clock.now() / 1_000 + 50 * 60 });
  /** The proof, and whether it was there at once. */
  async function check(text = token): Promise<TokenProof> {
    const proof = tokens.check(text);
    await clock.advance(3_000);
    return proof;
  }
  return { clock, pods, world, tokens, token, warnings, check };
}

const proven = (proof: TokenProof) => (proof.kind === 'proven' ? proof.nodeName : proof.kind);

describe('the token of an agent', () => {
  it("proves its pod's node, and is answered from memory for five minutes", async () => {
    const { clock, world, tokens, token, check } = setUp();
    assert.equal(proven(await check()), 'node-1');
    const again = tokens.check(token);
    assert.ok(!(again instanceof Promise) && proven(again) === 'node-1');
    await clock.advance(5 * minute);
    assert.equal(proven(await check()), 'node-1');
    assert.equal(world.reviews, 2);
  });

  it('is reviewed once, however many ask at the same time', async () => {
    const { clock, world, tokens, token } = setUp();
    const proofs = Promise.all(Array.from({ length: 20 }, async () => proven(await tokens.check(token))));
    await clock.advance(0);
    assert.deepEqual(new Set(await proofs), new Set(['node-1']));
    assert.equal(world.reviews, 1);
  });

  const refused: [string, TokenIdentity, RegExp, (readonly string[])?][] = [
    ['of a user', { ...identity, username: 'admin' }, /belongs to admin, which is no service account/],
    ['that is bound to no pod', { username: identity.username, uid: '' }, /bound to no pod/],
    [
      'of another service account',
      identity,
      /kube-system\/podpass-agent, which --agent-service-account/,
      ['a/b'],
    ],
    ['of a pod on another node', { ...identity, node: { name: 'node-2', uid: '' } }, /made for node node-2/],
  ];
  for (const [what, who, message, accounts] of refused) {
    it(`is refused when it is one ${what}`, async () => {
      const { check } = setUp(yes(who), accounts);
      const proof = await check();
      assert.ok(proof.kind === 'refused');
      assert.match(proof.message, message);
    });
  }

  it('is taken from a service account that is named', async () => {
    const { check } = setUp(yes(), ['kube-system/podpass-agent']);
    assert.equal(proven(await check()), 'node-1');
  });

  it('is refused for ten seconds when the API server refuses it, and then asked about again', async () => {
    const { clock, world, check } = setUp(no);
    assert.deepEqual(await check(), { kind: 'refused', message: 'token has expired' });
    world.outcome = yes();
    assert.equal((await check()).kind, 'refused');
    assert.equal(world.reviews, 1);
    await clock.advance(10_000);
    assert.equal(proven(await check()), 'node-1');
  });

  it('is good no longer than it says itself, whoever was asked', async () => {
    const { clock, world, check } = setUp();
    assert.equal(proven(await check()), 'node-1');
    await clock.advance(46 * minute);
    assert.equal(proven(await check()), 'node-1');
    await clock.advance(4 * minute);
    world.outcome = no;
    assert.equal((await check()).kind, 'refused', 'within five minutes of the last review');
  });

  it('is believed on while the API server is away, but not when its pod is gone', async () => {
    const { clock, pods, world, warnings, check } = setUp();
    await check();
    world.outcome = away;
    await clock.advance(20 * minute);
    assert.equal(proven(await check()), 'node-1');
    assert.equal(proven(await check()), 'node-1');
    assert.equal(world.reviews, 2, 'an API server that is away is not asked for each call');
    assert.equal(warnings.length, 1);
    pods.delete('uid-agent');
    assert.deepEqual(await check(), { kind: 'unreviewed' });
  });

  it('is believed for an hour at most while the API server is away', async () => {
    const { clock, world, check } = setUp();
    const eternal = makeToken({});
    await check(eternal);
    world.outcome = away;
    await clock.advance(59 * minute);
    assert.equal(proven(await check(eternal)), 'node-1');
    await clock.advance(minute);
    assert.equal((await check(eternal)).kind, 'unreviewed');
  });

  it('is unreviewed, with one warning, when nobody could ever be asked', async () => {
    const { clock, warnings, check } = setUp(away);
    for (let i = 0; i < 5; i += 1) {
      assert.equal((await check()).kind, 'unreviewed');
      await clock.advance(minute);
    }
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /known by their addresses meanwhile: connection refused/);
  });

  it('is unreviewed when the API server does not answer while an agent waits', async () => {
    const { clock, world, tokens, token } = setUp();
    world.hang = true;
    const proof = tokens.check(token);
    await clock.advance(2_500);
    assert.equal((await proof).kind, 'unreviewed');
  });

  it('waits for a pod that the watch has not shown yet', async () => {
    const { clock, pods, world, tokens, token } = setUp();
    pods.delete('uid-agent');
    const proof = tokens.check(token);
    await clock.advance(1_000);
    pods.set(agentPod);
    await clock.advance(1_000);
    assert.equal(proven(await proof), 'node-1');
    pods.delete('uid-agent');
    const late = tokens.check(token);
    await clock.advance(2_500);
    assert.equal((await late).kind, 'unready');
    assert.equal(world.reviews, 1);
  });

  it("is proof by the API server's word where that names the node of an unseen pod, for ten seconds", async () => {
    const { clock, pods, world, check } = setUp(yes(onNode1));
    pods.delete('uid-agent');
    assert.equal(proven(await check()), 'node-1');
    await check();
    assert.equal(world.reviews, 1);
    world.outcome = no;
    await clock.advance(10_000);
    assert.equal((await check()).kind, 'refused', 'a pod that is gone is not believed for five minutes');
  });

  it('is refused when its pod has finished', async () => {
    const { pods, check } = setUp();
    await check();
    pods.set({ ...agentPod, phase: 'Failed' });
    assert.equal((await check()).kind, 'refused');
  });

  it('holds for as long as its pod runs on its node', async () => {
    const { pods, tokens, check } = setUp();
    const proof = await check();
    assert.ok(proof.kind === 'proven');
    assert.equal(tokens.holds(proof), true);
    pods.set({ ...agentPod, phase: 'Succeeded' });
    assert.equal(tokens.holds(proof), false);
    pods.delete('uid-agent');
    assert.equal(tokens.holds(proof), false);
    assert.equal(tokens.holds({ ...proof, isSeen: false }), true);
  });
});
