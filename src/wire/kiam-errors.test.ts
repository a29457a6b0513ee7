import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type KiamFailure, kiamErrorText, readKiamError } from './kiam-errors.ts';

const caller = { uid: 'u', namespace: 'default', name: 'web' };
const role = { name: 'reader', arn: 'arn:aws:iam::123456789012:role/reader' };

describe("what kiam's servers say", () => {
  const cases: [text: string, failure: KiamFailure][] = [
    ['pod not found', { kind: 'unknown' }],
    ['no pod found', { kind: 'unknown' }],
    ['multiple running pods found', { kind: 'ambiguous' }],
    ['forbidden by policy', { kind: 'forbidden' }],
    ["role can't be empty", { kind: 'no-role' }],
    [
      'AccessDenied: Not authorized to perform sts:AssumeRole\n\tstatus code: 403, request id: 1b2c',
      {
        kind: 'refused',
        problem: { code: 'AccessDenied', message: 'Not authorized to perform sts:AssumeRole' },
      },
    ],
    [
      'Throttling: Rate exceeded\n\tstatus code: 400, request id: 1b2c',
      { kind: 'unavailable', problem: { code: 'Throttling', message: 'Rate exceeded' } },
    ],
    [
      'error parsing regexp: missing closing ]',
      {
        kind: 'unavailable',
        problem: { code: 'KiamServer', message: 'error parsing regexp: missing closing ]' },
      },
    ],
    ['', { kind: 'unavailable', problem: { code: 'KiamServer', message: '' } }],
  ];
  for (const [text, failure] of cases) {
    it(`is understood: ${JSON.stringify(text)}`, () => assert.deepEqual(readKiamError(text), failure));
  }

  it('is understood somehow, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 3_000 }), (text) => {
        const failure = readKiamError(text);
        if ('problem' in failure) assert.ok(failure.problem.message.length <= 1_024);
      }),
    );
  });
});

describe("what kiam's agents are told", () => {
  it('words an unknown pod in two ways, as kiam does', () => {
    const unknown = { kind: 'unknown', address: '10.0.0.1' } as const;
    assert.equal(kiamErrorText('GetPodRole', unknown), 'pod not found');
    assert.equal(kiamErrorText('GetPodCredentials', unknown), 'no pod found');
  });

  it('is what this side of the protocol understands', () => {
    for (const kind of ['refused', 'unavailable'] as const) {
      const problem = { code: kind === 'refused' ? 'AccessDenied' : 'Throttling', message: 'no' };
      const text = kiamErrorText('GetPodCredentials', { kind, caller, role, problem });
      assert.deepEqual(readKiamError(text), { kind, problem });
    }
    const ambiguous = { kind: 'ambiguous', address: '10.0.0.1', claimants: [caller] } as const;
    assert.deepEqual(readKiamError(kiamErrorText('GetPodRole', ambiguous)), { kind: 'ambiguous' });
    const none = { kind: 'no-role', caller } as const;
    assert.deepEqual(readKiamError(kiamErrorText('GetPodCredentials', none)), { kind: 'no-role' });
  });

  it('does not blame the namespace where it is the address of the pod that is missing', () => {
    const text = kiamErrorText('GetPodRole', { kind: 'undecided', caller });
    assert.equal(text, 'what decides about pod default/web is not known yet');
    assert.equal(readKiamError(text).kind, 'unavailable', 'an agent may ask again');
  });

  it('always fits into a header', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 3_000 }), (message) => {
        const problem = { code: 'AccessDenied', message };
        const text = kiamErrorText('GetPodCredentials', { kind: 'refused', caller, role, problem });
        assert.ok(text.length <= 1_024);
        // What gRPC does with it; throws at half a surrogate pair.
        assert.ok(encodeURI(text).length > 0);
      }),
    );
  });
});
