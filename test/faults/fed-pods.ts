import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { machineMillis } from '../../bench/cloud/protocol.ts';
import type { Random } from '../../src/base/random.ts';
import { roleKey } from '../end-to-end/annotate.ts';
import type { Cluster } from '../parts/cluster.ts';
import { type PartProcess, startProcess } from '../parts/process.ts';
import { type Scope, stopWith } from '../parts/scope.ts';
import { namespace } from './cluster-writer.ts';
import type { FeedInput, FeedReport } from './feed-nodes.ts';

export interface FedPodsOptions {
  readonly scope: Scope;
  readonly cluster: Cluster;
  readonly random: Random;
  readonly nodes: readonly string[];
  readonly roles: number;
  /** The role that STS gave an access key for. */
  readonly roleOf: (accessKeyId: string) => string | undefined;
}

/** Many pods on many nodes, and the agents of those, which hear of them and are asked nothing. */
export interface FedPods {
  /** Creates so many, with some writers at once, and resolves when the agents have the credentials of each. */
  grow(count: number): Promise<void>;
  /** Changes pods at this rate, as far as the API server can keep up: new roles, and new pods in place of old ones. */
  churn(changesPerSecond: number, millis: number): Promise<void>;
  /** Resolves when each pod's agent has credentials of the role that it has now. @throws Error saying which has not */
  untilAgreed(boundMillis: number): Promise<void>;
  readonly changes: number;
  /** From the API's answer to a change until the credentials of the new state were at the agent, in milliseconds. */
  readonly latencies: readonly number[];
  /** Credentials of a role that the pod never had, or not any more. */
  readonly wrong: readonly string[];
}

interface Wanted {
  readonly role: string;
  /** When the change was asked for; infinite until then. When the API answered; infinite until then. */
  readonly from: number;
  to: number;
  arrived: boolean;
}

const writers = 16;
const pods = `/api/v1/namespaces/${namespace}/pods`;
const mergePatch = 'application/merge-patch+json';
/** For a role of before, which may be on its way while another is asked for. Generous, for a busy machine. */
const lagMillis = 5_000;
const unheardMillis = 1_000;

export async function startFedPods(
  options: FedPodsOptions,
  feed: Pick<FeedInput, 'tls' | 'ports'>,
): Promise<FedPods> {
  const { scope, cluster, random, nodes, roles, roleOf } = options;
  /** What each pod wants and wanted: the last is what it shall have. */
  const wanted = new Map<string, Wanted[]>();
  const live: string[] = [];
  const busy = new Set<string>();
  const latencies: number[] = [];
  const wrong: string[] = [];
  let last = 0;
  let changes = 0;

  const child: PartProcess = startProcess({
    title: 'feed-nodes',
    file: process.execPath,
    args: [
      join(import.meta.dirname, 'feed-nodes.ts'),
      JSON.stringify({ ...feed, nodes } satisfies FeedInput),
    ],
    onLine: (line) => hear(JSON.parse(line) as FeedReport),
  });
  stopWith(scope, () => child.stop());

  function hear({ arrivals }: FeedReport, isLate = false): void {
    for (const arrival of arrivals) {
      const { name, accessKeyId, at } = arrival;
      const role = roleOf(accessKeyId);
      if (role === undefined && !isLate) {
        // STS has said it, in another pipe, which need not be read before this one.
        void setTimeout(unheardMillis).then(() => hear({ arrivals: [arrival], gone: [] }, true));
        continue;
      }
      const known = wanted.get(name);
      // Pods have their names once: this one has been replaced since.
      if (known === undefined) continue;
      const current = known.at(-1);
      if (current?.role === role) {
        if (current && !current.arrived) {
          current.arrived = true;
          // The watch may be faster than the answer.
          latencies.push(Math.max(0, at - Math.min(current.to, machineMillis())));
        }
        continue;
      }
      const next = known.find((each, i) => each.role === role && at - (known[i + 1]?.to ?? at) < lagMillis);
      if (next === undefined) wrong.push(`${name} got ${role}, wants ${current?.role}`);
    }
  }

  const someRole = () => `team-role-${Math.floor(random.next() * roles)}`;

  function want(name: string, role: string): Wanted {
    const entry = { role, from: machineMillis(), to: Number.POSITIVE_INFINITY, arrived: false };
    const all = wanted.get(name) ?? [];
    wanted.set(name, [...all.slice(-3), entry]);
    return entry;
  }

  async function create(): Promise<void> {
    last += 1;
    const index = last;
    const name = `fed-${index}`;
    const role = someRole();
    await cluster.must('POST', pods, { body: podBody(name, role, nodes[index % nodes.length] ?? '') });
    const entry = want(name, role);
    const podIP = `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`;
    const status = { phase: 'Running', podIP, podIPs: [{ ip: podIP }], hostIP: '10.255.0.1' };
    await cluster.must('PATCH', `${pods}/${name}/status`, { body: { status }, contentType: mergePatch });
    entry.to = machineMillis();
    live.push(name);
  }

  async function bind(name: string): Promise<void> {
    const before = wanted.get(name)?.at(-1)?.role;
    const role = someRole();
    if (role === before) return;
    const entry = want(name, role);
    const body = { metadata: { annotations: { [roleKey]: role } } };
    await cluster.must('PATCH', `${pods}/${name}`, { body, contentType: mergePatch });
    entry.to = machineMillis();
  }

  async function replace(name: string): Promise<void> {
    live.splice(live.indexOf(name), 1);
    await cluster.must('DELETE', `${pods}/${name}?gracePeriodSeconds=0`);
    wanted.delete(name);
    await create();
  }

  /** Nobody changes a pod that is being changed. */
  async function changeOne(): Promise<void> {
    const name = live[Math.floor(random.next() * live.length)];
    if (name === undefined || busy.has(name)) return;
    busy.add(name);
    try {
      // A new pod in place of an old one is three changes: it goes, it comes, it has its address.
      if (random.next() < 0.75) await bind(name).then(() => (changes += 1));
      else await replace(name).then(() => (changes += 3));
    } finally {
      busy.delete(name);
    }
  }

  async function all(count: number, work: () => Promise<void>): Promise<void> {
    let left = count;
    const worker = async () => {
      while (left-- > 0) await work();
    };
    await Promise.all(Array.from({ length: writers }, worker));
  }

  const fed: FedPods = {
    latencies,
    wrong,
    get changes() {
      return changes;
    },
    async grow(count) {
      await all(count, create);
      await fed.untilAgreed(120_000);
      latencies.length = 0;
    },
    async churn(changesPerSecond, millis) {
      const began = performance.now();
      const atFirst = changes;
      const worker = async () => {
        for (;;) {
          const passed = performance.now() - began;
          if (passed > millis) return;
          if (changes - atFirst < (passed / 1_000) * changesPerSecond) await changeOne();
          else await setTimeout(5);
        }
      };
      await Promise.all(Array.from({ length: writers }, worker));
    },
    async untilAgreed(boundMillis) {
      const end = performance.now() + boundMillis;
      for (;;) {
        const missing = [...wanted].filter(([, entries]) => entries.at(-1)?.arrived === false);
        if (missing.length === 0) return;
        if (performance.now() > end)
          throw new Error(`${missing.length} pods are without what they want, such as ${missing[0]?.[0]}`);
        await setTimeout(50);
      }
    },
  };
  return fed;
}

/** Some 5 kB once the API server has added its own, as an ordinary pod has. */
function podBody(name: string, role: string, nodeName: string) {
  const env = Array.from({ length: 60 }, (_, i) => ({
    name: `SETTING_${i}`,
    value: `value ${i} of ${name}`,
  }));
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      labels: { app: name },
      annotations: { [roleKey]: role, 'prometheus.io/scrape': 'true' },
    },
    spec: { nodeName, containers: [{ name: 'app', image: 'example.invalid/app', env }] },
  };
}
