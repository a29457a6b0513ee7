import { createServerBroker } from '../../../src/commands/server-broker.ts';
import { defaultAnnotationKeys } from '../../../src/roles/annotation-keys.ts';
import type * as podpass from '../../../src/wire/gen/podpass.ts';
import type { GrpcServerParty } from './grpc.ts';
import { arnPrefix, connectProcess, createProcess, kill, type Runtime, type SimProcess } from './runtime.ts';

export interface ServerProcess extends SimProcess, GrpcServerParty {
  /** Ends it as SIGTERM does: streams end in order, and then the process. */
  drain(): void;
}

/** Starts a server. It listens at once, as a real one does. */
export function startServer(runtime: Runtime, name: string, place: string): ServerProcess {
  const { sts, clock, settings } = runtime;
  const process = createProcess(runtime, name, place);
  const streams = new Set<() => void>();
  let isMarking = false;
  const serving = new AbortController();
  const broker = createServerBroker({
    context: process.context,
    connection: connectProcess(runtime, process, () => {
      if (isMarking) return;
      isMarking = true;
      // When all that the news led to has been done, in the same moment.
      clock.setTimer(0, () => {
        isMarking = false;
        for (const mark of streams) mark();
      });
    }),
    backend: sts.backendFor(process, process.clock),
    decideOptions: {
      baseArn: arnPrefix,
      defaultSessionName: 'kiam',
      keys: defaultAnnotationKeys,
      strictNamespaceRegexp: true,
    },
    refreshMillis: 0,
    callsPerSecond: settings.callsPerSecond,
    agentScope: settings.agentScope,
    agentServiceAccount: ['kube-system/podpass-agent'],
    maxStreamAgeMillis: settings.maxStreamAgeMillis,
    serving: serving.signal,
  });
  const [service] = broker.services;
  void broker.run();
  return Object.assign(process, {
    isListening: true,
    service: service?.implementation as podpass.BrokerServer,
    streams,
    drain() {
      process.isListening = false;
      service?.drain?.();
      clock.setTimer(1_000, () => {
        if (process.isDead) return;
        serving.abort();
        void broker.stop();
        kill(runtime, process);
      });
    },
  });
}
