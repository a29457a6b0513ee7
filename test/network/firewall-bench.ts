import { join } from 'node:path';
import { sleep, systemClock } from '../../src/base/clock.ts';
import { createFakeClock, type FakeClock } from '../../src/base/fake-clock.ts';
import { type Firewall, type FirewallOptions, installFirewall } from '../../src/node/firewall.ts';
import { parseHostInterfaces } from '../../src/node/host-interfaces.ts';
import type { HostView } from '../../src/node/host-view.ts';
import { countPortListeners } from '../../src/node/port-listeners.ts';
import { type RunTool, runTool } from '../../src/node/run-tool.ts';
import { createHealth, type Health } from '../../src/telemetry/health.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { createMetrics, type Metrics } from '../../src/telemetry/metrics.ts';
import { partPath } from '../parts/catalogue.ts';
import type { Scope } from '../parts/scope.ts';
import type { FirewallCommands } from './firewall-worker.ts';
import { runIn } from './namespaces.ts';
import { createTopology, type Topology, type TopologyOptions } from './topology.ts';
import { startWorker, type Worker } from './worker.ts';

export const agentPort = 8181;

/** A node with pods, an agent and EC2, each a plain server that says who it is; and the rule, not yet installed. */
export interface FirewallBench {
  readonly topology: Topology;
  readonly node: Worker<FirewallCommands>;
  readonly pods: readonly Worker<FirewallCommands>[];
  readonly clock: FakeClock;
  readonly health: Health;
  readonly metrics: Metrics;
  /** What was logged: level and message. */
  readonly log: string[];
  readonly install: (options?: InstallOptions) => Promise<Firewall>;
  /** Resolves when lines with this text have been logged so often. */
  readonly logged: (text: string, times?: number) => Promise<void>;
  /** Runs a command on the node. */
  readonly onNode: (command: string, input?: string) => string;
}

export interface InstallOptions extends Partial<Pick<FirewallOptions, 'kind' | 'routeGuard'>> {
  readonly interfaces?: readonly string[];
  readonly port?: number;
  /** Put in front of each tool: `setpriv` and its options. */
  readonly through?: readonly string[];
}

export async function createFirewallBench(scope: Scope, options?: TopologyOptions): Promise<FirewallBench> {
  const topology = createTopology(scope, options);
  const script = join(import.meta.dirname, 'firewall-worker.ts');
  const [node, ec2, ...pods] = [
    topology.node,
    topology.ec2,
    ...topology.pods.map(({ namespace }) => namespace),
  ].map((namespace) => startWorker<FirewallCommands>(scope, namespace, script));
  if (!node || !ec2) throw new Error('unreachable');
  await Promise.all([node.serve(agentPort, 'agent'), ec2.serve(80, 'EC2')]);

  const clock = createFakeClock();
  const metrics = createMetrics();
  const health = createHealth();
  const log: string[] = [];
  const logger = createLogger({ level: 'debug', json: true, write: (line) => log.push(describeLine(line)) });
  const onNode = (command: string, input?: string) => runIn(topology.node, 'sh', ['-c', command], input);
  const host: HostView = {
    interfaceNames: () => onNode('ls /sys/class/net').trim().split('\n'),
    hasIPv6: () => true,
    hasLegacyNat: () => onNode('cat /proc/net/ip_tables_names 2>/dev/null || true').includes('nat'),
    countListeners: (port) => countPortListeners(port, async (path) => onNode(`cat ${path}`)),
    mayAdministerNetwork: () => true,
  };

  return {
    topology,
    node,
    pods,
    clock,
    health,
    metrics,
    log,
    onNode,
    async logged(text, times = 1) {
      const count = () => log.filter((line) => line.includes(text)).length;
      for (let tries = 0; count() < times && tries < 500; tries++) {
        await sleep(systemClock, 10, scope.signal);
      }
      if (count() < times) throw new Error(`not said ${times} times: ${text}: ${log.join('\n')}`);
    },
    install({ interfaces = [topology.hostInterface], port = agentPort, through = [], ...rest } = {}) {
      const run: RunTool = (tool, args, input) =>
        runTool(partPath('ip'), ['netns', 'exec', topology.node, ...through, tool, ...args], input);
      return installFirewall({
        redirect: {
          interfaces: parseHostInterfaces(interfaces),
          hosts: { v4: topology.nodeIpv4, v6: topology.nodeIpv6 },
          port,
        },
        kind: 'auto',
        routeGuard: true,
        checkIntervalMillis: 10_000,
        run,
        host,
        clock,
        logger,
        metrics,
        health,
        ...rest,
      });
    },
  };
}

function describeLine(line: string): string {
  const { level, msg } = JSON.parse(line) as { readonly level: string; readonly msg: string };
  return `${level}: ${msg}`;
}
