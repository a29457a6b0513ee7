import assert from 'node:assert/strict';
import { it } from 'node:test';
import { PodpassError } from '../base/errors.ts';
import { createFakeClock } from '../base/fake-clock.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { reportCertificates } from './certificate-gauges.ts';

const expires = 2_000_000_999;
const good = {
  cert: Buffer.alloc(0),
  key: Buffer.alloc(0),
  ca: Buffer.alloc(0),
  expires,
  begins: 0,
  signedByOwnAuthority: true,
};
const unusable = new PodpassError('ERR_TLS', 'not the key');
const expired = new PodpassError('ERR_TLS_CHAIN', 'expired');

const cases: [
  what: string,
  state: { current?: Partial<typeof good>; problem?: PodpassError; now?: number },
  update: 0 | 1,
  verify: 0 | 1,
][] = [
  ['all is well', {}, 0, 0],
  ['what is on disk cannot be used', { problem: unusable }, 1, 0],
  ['what is on disk has expired', { problem: expired }, 1, 1],
  [
    'the certificate is of an authority that is not in --ca',
    { current: { signedByOwnAuthority: false } },
    0,
    1,
  ],
  ['the set in use has expired', { now: expires }, 0, 1],
];
for (const [what, { current, problem, now = 1_000 }, update, verify] of cases) {
  it(`says update_error ${update} and verify_error ${verify} when ${what}`, async () => {
    for (const [side, process] of [
      ['server', 'server'],
      ['client', 'agent'],
    ] as const) {
      const metrics = createMetrics({ process });
      reportCertificates(side, { current: { ...good, ...current }, problem }, metrics, createFakeClock(now));
      const lines = (await metrics.registry.metrics())
        .split('\n')
        .filter((line) => line.startsWith('grpc_') && line.includes('_tls_'));
      assert.deepEqual(lines, [
        `grpc_${side}_tls_certificate_update_error ${update}`,
        `grpc_${side}_tls_certificate_verify_error ${verify}`,
        `grpc_${side}_tls_certificate_expiry_seconds 2000000`,
      ]);
    }
  });
}
