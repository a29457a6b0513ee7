import type { PodView } from './broker.ts';

/** Which node an agent says it is on. At least one field is set; the node name wins. */
export interface NodeSelector {
  readonly nodeName?: string;
  /** An address of the node, for agents that only know that (kiam's manifests set HOST_IP). */
  readonly hostIp?: string;
}

/** What one agent is told. Calls come one at a time, in the order of the changes, and may come during `subscribeNode`. */
export interface NodeListener {
  /** A pod of the node appeared or changed: its whole state. */
  pod(view: PodView): void;
  /** The pod is gone, or is not of this node any more. */
  removed(uid: string): void;
  /**
   * Everything that exists has been told. Called once, and not before the cluster has been seen as a whole: the agent
   * forgets every pod that was not among what it was told until then.
   */
  synced(): void;
}

export interface FindOptions {
  readonly node: NodeSelector;
  /** Wait at most this many milliseconds for the pod, and for what became of its session. */
  readonly waitMillis: number;
  readonly signal: AbortSignal;
}

/** What the server side of the wire asks of the broker. */
export interface NodeSource {
  /** Tells of a node's pods until the returned function is called; nothing is told after that. */
  subscribeNode(node: NodeSelector, listener: NodeListener): () => void;
  /**
   * The pods that claim an address (in any spelling): none, one, or several that conflict. Resolves with what is known
   * when the time is up; rejects only when the signal aborts.
   */
  find(address: string, options: FindOptions): Promise<readonly PodView[]>;
}

/** Where an agent puts what it was told: a table of pods. What a broken stream leaves behind is the teller's care. */
export interface PodSink {
  upsert(view: PodView): void;
  remove(uid: string): void;
  /** What is held is the server's state, as of now. Called after each full state. */
  synced(): void;
}
