import type { Clock, Timer } from '../base/clock.ts';

/**
 * The nodes whose pods' credentials this server keeps ready. Every server watches every pod, but each fetches only
 * for the nodes it feeds, so that calls of STS grow with identities and not with replicas.
 */
export interface FedNodes {
  isFed(nodeName: string): boolean;
  /** An agent streams for the node. Returns how to say that it no longer does. */
  hold(nodeName: string): () => void;
  /** Somebody asked for one pod of the node (kiam's agents ask so): feed it for a while. */
  touch(nodeName: string): void;
  readonly held: number;
}

export interface FedNodesOptions {
  readonly clock: Clock;
  /** A node began or ceased to be fed. */
  readonly onChange: (nodeName: string) => void;
  /** How long a node is fed after a touch or after its stream broke, in milliseconds. Default one hour. */
  readonly lingerMillis?: number;
}

export function createFedNodes({ clock, onChange, lingerMillis = 3_600_000 }: FedNodesOptions): FedNodes {
  const holders = new Map<string, number>();
  const lingering = new Map<string, Timer>();

  const isFed = (nodeName: string) => holders.has(nodeName) || lingering.has(nodeName);

  function linger(nodeName: string): void {
    lingering.get(nodeName)?.cancel();
    lingering.set(
      nodeName,
      clock.setTimer(lingerMillis, () => {
        lingering.delete(nodeName);
        if (!isFed(nodeName)) onChange(nodeName);
      }),
    );
  }

  function changing(nodeName: string, change: () => void): void {
    const before = isFed(nodeName);
    change();
    if (isFed(nodeName) !== before) onChange(nodeName);
  }

  return {
    isFed,
    hold(nodeName) {
      changing(nodeName, () => holders.set(nodeName, (holders.get(nodeName) ?? 0) + 1));
      let released = false;
      return () => {
        if (released) return;
        released = true;
        changing(nodeName, () => {
          const left = (holders.get(nodeName) ?? 1) - 1;
          if (left > 0) holders.set(nodeName, left);
          else holders.delete(nodeName);
          // An agent that restarts comes back within seconds and finds its pods' credentials here.
          if (left === 0) linger(nodeName);
        });
      };
    },
    touch: (nodeName) => changing(nodeName, () => linger(nodeName)),
    get held() {
      return holders.size;
    },
  };
}
