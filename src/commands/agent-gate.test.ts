import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PodpassError } from '../base/errors.ts';
import { type StartAgentGateOptions, startAgentGate } from './agent-gate.ts';

/** With `off` nothing else is looked at. */
function start(accounts: readonly string[]) {
  return startAgentGate({
    agentScope: 'off',
    agentServiceAccount: accounts,
  } as unknown as StartAgentGateOptions);
}

describe('--agent-service-account', () => {
  it('takes NAMESPACE/NAME, and with --agent-scope=off there is no gate', () => {
    assert.equal(start([]).gate, undefined);
    assert.equal(start(['kube-system/podpass-agent', 'a/b.c']).gate, undefined);
  });

  for (const account of ['podpass-agent', 'a/b/c', '/b', 'a/', 'A/b', 'a/b c', 'system:serviceaccount:a:b']) {
    it(`does not take ${JSON.stringify(account)}`, () => {
      assert.throws(
        () => start(['a/b', account]),
        (error) =>
          error instanceof PodpassError && error.code === 'ERR_USAGE' && error.message.includes(account),
      );
    });
  }
});
