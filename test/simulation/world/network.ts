import type { Clock } from '../../../src/base/clock.ts';
import type { Random } from '../../../src/base/random.ts';

/**
 * `cut`: whoever sends is told at once that there is no connection. `hole`: packets vanish and nobody is told.
 * `slow`: packets take up to seconds.
 */
export type LinkState = 'open' | 'cut' | 'hole' | 'slow';

/** One connection. Packets of one direction arrive in the order in which they were sent, or never. */
export interface Flow {
  /** `arrive` runs at the other end, unless the connection breaks before. */
  send(from: Party, arrive: () => void): void;
  /** This end is done with it; the other is told. */
  close(from: Party): void;
  readonly isOpen: boolean;
}

/** One end of connections: a process, the API server, STS. */
export interface Party {
  readonly name: string;
  /** Where it stands: links are between places, so that a process that is started again has those of the last. */
  readonly place: string;
  /** Whether it takes connections. */
  isListening: boolean;
  isDead: boolean;
}

/** When the last packet of each direction arrives, by its sender. */
export type ArrivalOrder = Map<Party, number>;

export interface ConnectOptions {
  readonly from: Party;
  readonly to: Party;
  /** How long nothing may arrive before both ends give the connection up. Default: they never do. */
  readonly keepaliveMillis?: number;
  /** Calls of one HTTP/2 connection share one: what was sent first on any of them arrives first. Default: its own. */
  readonly order?: ArrivalOrder;
  readonly onOpen: (flow: Flow) => void;
  /** There is no connection, or there is none any more. Called once, and not after `close` of the same end. */
  readonly onBroken: (why: string) => void;
  /** The same, at the other end. */
  readonly onPeerBroken: (why: string) => void;
}

export interface Network {
  connect(options: ConnectOptions): void;
  setLink(a: string, b: string, state: LinkState): void;
  linkState(a: string, b: string): LinkState;
  /** The party is gone: whoever it was connected to is told, as far as packets come through. */
  crash(party: Party): void;
}

interface OpenFlow {
  readonly options: ConnectOptions;
  readonly arrivals: ArrivalOrder;
  /** Packets that a hole keeps, or that come behind such. */
  held: (() => void)[];
  isDraining: boolean;
  /** Nothing of it comes through any more, and nobody is told: what a router that was restarted makes of it. */
  isDoomed: boolean;
  stalledAt: number | undefined;
  readonly done: Set<Party>;
}

/** All that comes between the processes of a simulation: delays, breaks, and silence. */
export function createNetwork(clock: Clock, random: Random): Network {
  const links = new Map<string, LinkState>();
  const flows = new Map<string, Set<OpenFlow>>();

  const keyOf = (a: string, b: string) => (a < b ? `${a} ${b}` : `${b} ${a}`);
  const linkOf = ({ from, to }: ConnectOptions) => keyOf(from.place, to.place);
  const stateOf = (key: string) => links.get(key) ?? 'open';

  function latency(key: string): number {
    return stateOf(key) === 'slow' ? 20 + random.next() * 2_500 : 0.5 + random.next() * 8;
  }

  function tell(flow: OpenFlow, end: Party, why: string): void {
    if (flow.done.has(end) || end.isDead) return;
    flow.done.add(end);
    if (end === flow.options.from) flow.options.onBroken(why);
    else flow.options.onPeerBroken(why);
  }

  function forget(flow: OpenFlow): void {
    if (flow.done.size < 2) return;
    flows.get(linkOf(flow.options))?.delete(flow);
  }

  function breakFlow(flow: OpenFlow, why: string): void {
    const { from, to } = flow.options;
    flow.held = [];
    tell(flow, from, why);
    tell(flow, to, why);
    flow.done.add(from).add(to);
    forget(flow);
  }

  /** Runs `arrive` at the other end when the packet has come through. */
  function carry(flow: OpenFlow, from: Party, arrive: () => void): void {
    const key = linkOf(flow.options);
    const at = Math.max(clock.monotonic() + latency(key), (flow.arrivals.get(from) ?? 0) + 0.01);
    flow.arrivals.set(from, at);
    clock.setTimer(at - clock.monotonic(), () => deliver(flow, key, arrive));
  }

  function deliver(flow: OpenFlow, key: string, arrive: () => void): void {
    if (flow.isDoomed || stateOf(key) === 'hole') {
      stall(flow);
      if (!flow.isDoomed) flow.held.push(arrive);
    } else if (flow.held.length > 0 || flow.isDraining) flow.held.push(arrive);
    else arrive();
  }

  function stall(flow: OpenFlow): void {
    const { keepaliveMillis } = flow.options;
    if (flow.stalledAt !== undefined || keepaliveMillis === undefined) return;
    const since = clock.monotonic();
    flow.stalledAt = since;
    clock.setTimer(keepaliveMillis, () => {
      if (flow.stalledAt === since) breakFlow(flow, 'keepalive: no answer to a ping');
    });
  }

  function open(options: ConnectOptions): void {
    const key = linkOf(options);
    const { from, to } = options;
    const flow: OpenFlow = {
      options,
      arrivals: options.order ?? new Map(),
      held: [],
      isDraining: false,
      isDoomed: false,
      stalledAt: undefined,
      done: new Set(),
    };
    const all = flows.get(key) ?? new Set();
    flows.set(key, all.add(flow));
    options.onOpen({
      get isOpen() {
        return !flow.done.has(from) && !flow.done.has(to);
      },
      send(sender, arrive) {
        if (sender.isDead || flow.done.has(sender)) return;
        const receiver = sender === from ? to : from;
        carry(flow, sender, () => {
          if (!flow.done.has(receiver) && !receiver.isDead) arrive();
        });
      },
      close(end) {
        if (flow.done.has(end)) return;
        flow.done.add(end);
        const other = end === from ? to : from;
        carry(flow, end, () => {
          tell(flow, other, 'the other end closed the connection');
          forget(flow);
        });
      },
    });
  }

  function heal(key: string): void {
    for (const flow of [...(flows.get(key) ?? [])]) {
      if (flow.isDoomed) continue;
      flow.stalledAt = undefined;
      if (!flow.isDraining) drain(flow, key);
    }
  }

  /** Lets what was held arrive: one after the other, so that each is taken in before the next comes. */
  function drain(flow: OpenFlow, key: string): void {
    const arrive = stateOf(key) === 'hole' ? undefined : flow.held.shift();
    flow.isDraining = arrive !== undefined;
    if (!arrive) return;
    arrive();
    clock.setTimer(0.01, () => drain(flow, key));
  }

  return {
    connect(options) {
      const key = linkOf(options);
      const { from, to } = options;
      clock.setTimer(latency(key), () => {
        if (from.isDead || stateOf(key) === 'hole') return;
        const answered = latency(key);
        const isThere = to.isListening && !to.isDead && stateOf(key) !== 'cut';
        clock.setTimer(answered, () => {
          if (from.isDead || stateOf(key) === 'hole') return;
          if (isThere && !to.isDead && stateOf(key) !== 'cut') open(options);
          else options.onBroken('connection refused');
        });
      });
    },
    setLink(a, b, state) {
      const key = keyOf(a, b);
      links.set(key, state);
      if (state === 'cut')
        for (const flow of [...(flows.get(key) ?? [])]) breakFlow(flow, 'connection reset');
      if (state === 'hole') {
        for (const flow of flows.get(key) ?? []) {
          if (random.next() < 0.5) flow.isDoomed = true;
          stall(flow);
        }
      } else heal(key);
    },
    linkState: (a, b) => stateOf(keyOf(a, b)),
    crash(party) {
      party.isDead = true;
      party.isListening = false;
      for (const all of flows.values()) {
        for (const flow of [...all]) {
          const { from, to } = flow.options;
          if (from !== party && to !== party) continue;
          flow.done.add(party);
          const other = from === party ? to : from;
          carry(flow, party, () => {
            tell(flow, other, 'connection reset by peer');
            forget(flow);
          });
        }
      }
    },
  };
}
