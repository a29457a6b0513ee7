// The agents of many nodes in one process: the streams and the pings of real ones, without the doors.

import { systemClock as clock } from '../../src/base/clock.ts';
import { systemRandom as random } from '../../src/base/random.ts';
import { createSilentLogger } from '../../src/telemetry/logger.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { loadCertificates } from '../../src/wire/certificates.ts';
import { createRemoteFeed } from '../../src/wire/remote-feed.ts';
import { createServerAddresses } from '../../src/wire/server-addresses.ts';
import type { TlsFiles } from '../cloud/protocol.ts';
import { input, say } from './say.ts';

export interface NodeAgentsInput {
  readonly tls: TlsFiles;
  /** In the order of preference. */
  readonly grpcPorts: readonly number[];
  readonly nodes: readonly string[];
}

const { tls, grpcPorts, nodes } = input<NodeAgentsInput>();
const logger = createSilentLogger();
const certificates = await loadCertificates({ files: tls, clock, logger });
const addresses = createServerAddresses({
  servers: grpcPorts.map((port) => `localhost:${port}`),
  clock,
  logger,
});
/** Pods whose credentials have arrived. */
const served = new Set<string>();
let synced = 0;
for (const nodeName of nodes) {
  const feed = createRemoteFeed({
    addresses,
    channel: { credentials: certificates.channelCredentials() },
    node: { nodeName },
    into: {
      upsert: ({ uid, session }) => (session.kind === 'issued' ? served.add(uid) : served.delete(uid)),
      remove: (uid) => served.delete(uid),
      synced: () => {
        synced += 1;
      },
    },
    clock,
    random,
    logger,
    metrics: createMetrics(),
  });
  void feed.run(new AbortController().signal);
}
setInterval(() => say({ synced, served: served.size }), 250);
