import type { experimental } from '@grpc/grpc-js';
import type { TlsMaterial } from './tls.ts';

/** grpc-js asks this for certificates at each handshake; podpass tells it of new ones. */
export interface CertificateProvider extends experimental.CertificateProvider {
  /** Hands a set on to everybody who listens. It must have been checked: what is handed on is used. */
  set(material: TlsMaterial): void;
}

/**
 * The bridge to grpc-js' certificate providers. Its own, which watches files, hands on whatever it reads: a key that
 * does not fit the certificate then stops every new connection. This one only ever holds a set that was checked.
 */
export function createCertificateProvider(first: TlsMaterial): CertificateProvider {
  const onAuthority = new Set<experimental.CaCertificateUpdateListener>();
  const onIdentity = new Set<experimental.IdentityCertificateUpdateListener>();
  let current = first;

  const authority = () => ({ caCertificate: current.ca });
  const identity = () => ({ certificate: current.cert, privateKey: current.key });

  return {
    // grpc-js adds itself first and is ready to be told only after that: hence the microtask.
    addCaCertificateListener(listener) {
      onAuthority.add(listener);
      queueMicrotask(() => onAuthority.has(listener) && listener(authority()));
    },
    addIdentityCertificateListener(listener) {
      onIdentity.add(listener);
      queueMicrotask(() => onIdentity.has(listener) && listener(identity()));
    },
    removeCaCertificateListener: (listener) => onAuthority.delete(listener),
    removeIdentityCertificateListener: (listener) => onIdentity.delete(listener),
    set(material) {
      current = material;
      for (const listener of onAuthority) listener(authority());
      for (const listener of onIdentity) listener(identity());
    },
  };
}
