import { createFakeClock, type FakeClock } from '../../../src/base/fake-clock.ts';
import type { Random } from '../../../src/base/random.ts';
import { createLogger, createSilentLogger, type Logger } from '../../../src/telemetry/logger.ts';
import type { CheckSettings, History } from '../check/history.ts';
import { createApiServer, namespacesPath, nodesPath, podsPath } from './api-server.ts';
import { type Clients, createClients } from './client.ts';
import type { Change } from './cluster-state.ts';
import { createNetwork } from './network.ts';
import { type NodeProcess, startAgent, startStandalone } from './node-process.ts';
import { createPods, type Pods, type SimNode, type SimPod } from './pods.ts';
import { createRecorder } from './record.ts';
import { arnPrefix, kill, type RunSettings, type Runtime } from './runtime.ts';
import { type ServerProcess, startServer } from './server-process.ts';
import { createSts } from './sts.ts';

export interface WorldOptions extends RunSettings {
  readonly random: Random;
  readonly servers: number;
  readonly nodes: readonly { readonly kind: 'agent' | 'standalone'; readonly addresses: number }[];
  /** Whether agents have tokens, or are known by their addresses. */
  readonly hasTokens: boolean;
  readonly streamsLists: boolean;
  readonly roles: readonly string[];
  /** Gets each line of the story, where one is wanted. */
  readonly tell?: ((line: string) => void) | undefined;
  readonly onPodStart: (pod: SimPod) => void;
}

/** A node with what answers its pods. The process that was started last comes last. */
export interface WorldNode extends SimNode {
  readonly kind: 'agent' | 'standalone';
  readonly processes: NodeProcess[];
  /** The name of its agent's pod. */
  readonly podName: string;
}

/** A cluster with podpass in it. */
export interface World {
  readonly runtime: Runtime;
  readonly clock: FakeClock;
  readonly nodes: readonly WorldNode[];
  readonly serverPlaces: readonly string[];
  readonly pods: Pods;
  readonly clients: Clients;
  serverAt(place: string): ServerProcess | undefined;
  setNamespace(name: string, permitted: string | undefined): void;
  startServerAt(place: string): void;
  stopServerAt(place: string, how: 'kill' | 'drain'): void;
  startOn(node: WorldNode): NodeProcess;
  stopOn(node: WorldNode, process: NodeProcess): void;
  tokenOf(node: WorldNode): string | undefined;
  tell(text: string): void;
  history(): History;
  /** Ends every process. */
  end(): void;
}

const burstSeconds = 2;

export function createWorld(options: WorldOptions): World {
  const { random, hasTokens, roles, tell } = options;
  const clock = createFakeClock();
  const now = () => clock.monotonic();
  const recorder = createRecorder(now);
  const network = createNetwork(clock, random);
  const say = (text: string) => tell?.(`${now().toFixed(1).padStart(10)} ms  ${text}`);
  const silent = createSilentLogger();
  const api = createApiServer({
    clock,
    random,
    streamsLists: options.streamsLists,
    onChange,
    podOfToken(token) {
      const [, nodeName = '', uid = ''] = /^agent\.([^.]+)\.([^.]+)$/.exec(token) ?? [];
      const pod = agentPod(nodeName);
      return pod?.metadata.uid === uid ? { uid, name: pod.metadata.name, nodeName } : undefined;
    },
  });
  const sts = createSts({ clock, random, network, sessionMillis: options.sessionMillis });
  const runtime: Runtime = { clock, random, network, api, sts, recorder, settings: options, loggerFor };

  function loggerFor(name: string, own: { now(): number }): Logger {
    if (!tell) return silent;
    return createLogger({
      level: 'info',
      json: false,
      clock: { ...clock, now: own.now },
      write: (line) => say(`  ${name}: ${line.replace(/^time="[^"]*" /, '').trim()}`),
    });
  }

  function onChange({ path, type, object, version }: Change): void {
    const { metadata, spec, status } = object;
    if (path === namespacesPath) {
      const permitted = metadata.annotations['iam.amazonaws.com/permitted'];
      recorder.namespace(metadata.name, version, { permitted });
      say(`namespace ${metadata.name} permits ${permitted ?? 'nothing'} (version ${version})`);
      return;
    }
    if (path !== podsPath) return;
    if (type === 'DELETED') {
      recorder.pod(metadata.uid, version, undefined);
      say(`pod ${metadata.uid} ${metadata.namespace}/${metadata.name} is gone (version ${version})`);
      return;
    }
    const ips = (status?.podIPs ?? []) as readonly { ip: string }[];
    const role = metadata.annotations['iam.amazonaws.com/role'];
    recorder.pod(metadata.uid, version, {
      uid: metadata.uid,
      namespace: metadata.namespace,
      name: metadata.name,
      node: String(spec?.nodeName),
      addresses: ips.map(({ ip }) => ip),
      hostNetwork: spec?.hostNetwork === true,
      isFinished: status?.phase === 'Succeeded' || status?.phase === 'Failed',
      role,
      sessionName: metadata.annotations['iam.amazonaws.com/session-name'],
      externalId: metadata.annotations['iam.amazonaws.com/external-id'],
    });
    say(
      `pod ${metadata.uid} ${metadata.namespace}/${metadata.name} on ${spec?.nodeName}: ${status?.phase}` +
        ` ${ips.map(({ ip }) => ip).join(' ') || 'no address'}, role ${role ?? 'none'}` +
        `${metadata.deletionTimestamp ? ', terminating' : ''} (version ${version})`,
    );
  }

  const nodes = options.nodes.map(({ kind, addresses }, i): WorldNode => {
    const name = `node-${i + 1}`;
    return {
      name,
      kind,
      ip: `192.168.0.${i + 1}`,
      free: Array.from({ length: addresses }, (_, j) => `10.0.${i + 1}.${j + 1}`),
      processes: [],
      podName: `podpass-${name}`,
    };
  });
  const serverPlaces = Array.from({ length: options.servers }, (_, i) => `server-${i + 1}`);
  const servers = new Map<string, ServerProcess>();
  const byIp = new Map<string, ServerProcess>();
  let starts = 0;

  const agentPod = (nodeName: string) => api.state.get(podsPath, 'kube-system', `podpass-${nodeName}`);

  const pods = createPods({ clock, random, api, onStart: options.onPodStart });
  const clients = createClients({
    clock,
    random,
    recorder,
    processOn(node) {
      const { processes = [] } = nodes.find(({ name }) => name === node.name) ?? {};
      const listening = processes.filter(({ isListening }) => isListening);
      return listening[Math.floor(random.next() * listening.length)];
    },
    anyRole: () => roles[Math.floor(random.next() * roles.length)] ?? '',
  });

  const world: World = {
    runtime,
    clock,
    nodes,
    serverPlaces,
    pods,
    clients,
    serverAt: (place) => servers.get(place),
    setNamespace(name, permitted) {
      const annotations = permitted === undefined ? {} : { 'iam.amazonaws.com/permitted': permitted };
      api.state.put(namespacesPath, { name, annotations: annotations as Record<string, string> });
    },
    startServerAt(place) {
      starts += 1;
      const process = startServer(runtime, `${place}#${starts}`, place);
      servers.set(place, process);
      byIp.set(`10.9.0.${starts % 250}`, process);
      say(`${process.name} started`);
    },
    stopServerAt(place, how) {
      const process = servers.get(place);
      if (!process) return;
      servers.delete(place);
      for (const [ip, other] of byIp) if (other === process) byIp.delete(ip);
      say(`${process.name} ${how === 'kill' ? 'killed' : 'asked to end'}`);
      if (how === 'kill') kill(runtime, process);
      else process.drain();
    },
    startOn(node) {
      starts += 1;
      const { name, ip, kind, processes } = node;
      const process =
        kind === 'standalone'
          ? startStandalone(runtime, `standalone-${name}#${starts}`, name)
          : startAgent(runtime, {
              name: `agent-${name}#${starts}`,
              node: name,
              ip,
              servers: () => byIp,
              token: () => world.tokenOf(node),
            });
      processes.push(process);
      say(`${process.name} started`);
      return process;
    },
    stopOn({ processes }, process) {
      const at = processes.indexOf(process);
      if (at < 0) return;
      processes.splice(at, 1);
      say(`${process.name} stopped`);
      kill(runtime, process);
    },
    tokenOf(node) {
      const pod = hasTokens ? agentPod(node.name) : undefined;
      return pod && `agent.${node.name}.${pod.metadata.uid}`;
    },
    tell: say,
    history(): History {
      const settings: CheckSettings = {
        arnPrefix,
        sessionMillis: options.sessionMillis,
        settleMillis: 12_000,
        requiresToken: options.imds === 'v2-required',
        holdMillis: 801,
        servers: serverPlaces,
        failoverMillis: 60_000,
        silentFailoverMillis: 260_000,
        namedByAddress: new Set(nodes.filter(({ kind }) => kind === 'standalone').map(({ name }) => name)),
        callsPerSecond: options.callsPerSecond,
        burst: burstSeconds * options.callsPerSecond,
      };
      return recorder.history(sts, settings);
    },
    end() {
      for (const process of servers.values()) kill(runtime, process);
      for (const { processes } of nodes) for (const process of processes) kill(runtime, process);
    },
  };

  for (const { name, ip, podName } of nodes) {
    api.state.put(nodesPath, { name, status: { addresses: [{ type: 'InternalIP', address: ip }] } });
    api.state.put(podsPath, {
      namespace: 'kube-system',
      name: podName,
      spec: { nodeName: name, hostNetwork: true },
      status: { phase: 'Running', podIPs: [{ ip }], hostIPs: [{ ip }], podIP: ip, hostIP: ip },
    });
  }
  world.setNamespace('kube-system', undefined);
  return world;
}
