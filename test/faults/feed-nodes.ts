// The agents of many nodes in one process: the streams of real ones, without doors. Says whose credentials came when.
//
//     node test/faults/feed-nodes.ts '{"tls": …, "ports": […], "nodes": […]}'

import { machineMillis, type TlsFiles } from '../../bench/cloud/protocol.ts';
import { systemClock as clock } from '../../src/base/clock.ts';
import { systemRandom as random } from '../../src/base/random.ts';
import { createSilentLogger } from '../../src/telemetry/logger.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { loadCertificates } from '../../src/wire/certificates.ts';
import { createRemoteFeed } from '../../src/wire/remote-feed.ts';
import { createServerAddresses } from '../../src/wire/server-addresses.ts';

export interface FeedInput {
  readonly tls: TlsFiles;
  readonly ports: readonly number[];
  readonly nodes: readonly string[];
}

/** Credentials of a pod have come, or it has gone. `at`: the machine's monotonic clock. */
export interface Arrival {
  readonly uid: string;
  readonly name: string;
  readonly accessKeyId: string;
  readonly at: number;
}

export interface FeedReport {
  readonly arrivals: readonly Arrival[];
  readonly gone: readonly string[];
}

const reportMillis = 100;
const { tls, ports, nodes }: FeedInput = JSON.parse(process.argv[2] ?? '');
const logger = createSilentLogger();
const certificates = await loadCertificates({ files: tls, clock, logger });
const addresses = createServerAddresses({
  servers: ports.map((port) => `localhost:${port}`),
  clock,
  logger,
});
let arrivals: Arrival[] = [];
let gone: string[] = [];
const metrics = createMetrics();
for (const nodeName of nodes) {
  const feed = createRemoteFeed({
    addresses,
    channel: { credentials: certificates.channelCredentials() },
    node: { nodeName },
    into: {
      upsert({ uid, name, session }) {
        if (session.kind !== 'issued') return;
        arrivals.push({ uid, name, accessKeyId: session.credentials.accessKeyId, at: machineMillis() });
      },
      remove: (uid) => void gone.push(uid),
      synced: () => {},
    },
    clock,
    random,
    logger,
    metrics,
  });
  void feed.run(new AbortController().signal);
}
setInterval(() => {
  if (arrivals.length + gone.length === 0) return;
  process.stdout.write(`${JSON.stringify({ arrivals, gone } satisfies FeedReport)}\n`);
  arrivals = [];
  gone = [];
}, reportMillis);
