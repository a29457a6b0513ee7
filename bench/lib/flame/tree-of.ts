/** What is read of V8's `.cpuprofile` (Chrome DevTools protocol, `Profiler.Profile`). */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  /** Ids of the nodes that were on top of the stack, one for each sample. */
  readonly samples?: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas?: readonly number[];
}

export interface ProfileNode {
  readonly id: number;
  readonly callFrame: {
    readonly functionName: string;
    readonly url: string;
    /** From 0. */
    readonly lineNumber: number;
  };
  readonly children?: readonly number[];
}

/** A function as it was called from the one above it, with everything that it called. */
export interface FlameNode {
  readonly name: string;
  /** `dist/chunks/agent-run-ABC.mjs:12`; empty for what V8 does itself. */
  readonly place: string;
  /** Milliseconds in it and in what it called. */
  readonly total: number;
  /** Milliseconds in itself. */
  readonly self: number;
  /** The costliest first. */
  readonly children: readonly FlameNode[];
}

/** Time without work is no cost. */
const idle = '(idle)';

/** The call tree with the time that was spent. @throws Error when the profile has no samples */
export function treeOf({ nodes, samples = [], timeDeltas = [] }: CpuProfile): FlameNode {
  const micros = new Map<number, number>();
  for (const [index, id] of samples.entries()) {
    // Deltas can be negative: samples of one moment are not in order.
    const span = Math.max(0, timeDeltas[index] ?? 0);
    micros.set(id, (micros.get(id) ?? 0) + span);
  }
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const [root] = nodes;
  if (root === undefined || samples.length === 0) throw new Error('the profile has no samples');

  function build({ id, callFrame, children = [] }: ProfileNode): FlameNode {
    const self = (micros.get(id) ?? 0) / 1_000;
    const below = children
      .map((child) => byId.get(child))
      .filter((child) => child !== undefined)
      .filter((child) => child.callFrame.functionName !== idle)
      .map(build)
      .filter(({ total }) => total > 0)
      .toSorted((a, b) => b.total - a.total);
    return {
      name: callFrame.functionName === '' ? '(anonymous)' : callFrame.functionName,
      place: placeOf(callFrame),
      total: below.reduce((sum, { total }) => sum + total, self),
      self,
      children: below,
    };
  }

  return build(root);
}

function placeOf({ url, lineNumber }: ProfileNode['callFrame']): string {
  if (url === '') return '';
  const path = url.replace(/^file:\/\//, '').replace(/^.*\/(?=(?:dist|src|bench|node_modules)\/)/, '');
  return `${path}:${lineNumber + 1}`;
}
