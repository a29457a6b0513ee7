import type { Clock } from '../base/clock.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Certificates } from './certificates.ts';

/**
 * Reports the certificate of this process under kiam's names: of a server as `grpc_server_…`, of an agent as
 * `grpc_client_…`. "The latest" of kiam's texts is what is on disk; when it cannot be used, the expiry is still that of
 * the set in use.
 */
export function reportCertificates(
  side: 'server' | 'client',
  certificates: Pick<Certificates, 'current' | 'problem'>,
  metrics: Metrics,
  clock: Clock,
): void {
  const gauges =
    side === 'server'
      ? {
          update: metrics.serverCertificateUpdateError,
          verify: metrics.serverCertificateVerifyError,
          expiry: metrics.serverCertificateExpiry,
        }
      : {
          update: metrics.clientCertificateUpdateError,
          verify: metrics.clientCertificateVerifyError,
          expiry: metrics.clientCertificateExpiry,
        };
  metrics.beforeScrape(() => {
    const { current, problem } = certificates;
    const isVerified =
      current.signedByOwnAuthority && clock.now() < current.expires && problem?.code !== 'ERR_TLS_CHAIN';
    gauges.update.set(problem ? 1 : 0);
    gauges.verify.set(isVerified ? 0 : 1);
    gauges.expiry.set(Math.floor(current.expires / 1_000));
  });
}
