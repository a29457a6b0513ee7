import type { Clock } from '../base/clock.ts';
import type { Logger } from '../telemetry/logger.ts';
import {
  type HostInterfaces,
  hostInterfacesText,
  isPodInterface,
  patternText,
  unmatchedPatterns,
} from './host-interfaces.ts';
import type { HostView } from './host-view.ts';

export interface InterfaceWatch {
  /**
   * @param strangers interfaces through which metadata packets arrived that the rule does not name
   */
  readonly look: (strangers: readonly string[]) => void;
}

/** Interfaces whose names begin alike come with the first pod: on a new node their absence means nothing yet. */
const graceMillis = 60_000;

const mostNamed = 20;

/**
 * Notices a `--host-interface` that does not fit the node, which is the usual reason why pods get the node's role: with
 * kiam nothing told of it.
 */
export function createInterfaceWatch(options: {
  readonly interfaces: HostInterfaces;
  readonly host: HostView;
  readonly clock: Clock;
  readonly logger: Logger;
}): InterfaceWatch {
  const { interfaces, host, clock, logger } = options;
  const started = clock.monotonic();
  const named = new Set<string>();
  let hasWarned = false;

  function lookForNames(): void {
    const names = host.interfaceNames();
    const unmatched = unmatchedPatterns(interfaces, names);
    // One of several names is enough: a list may serve nodes of several kinds.
    if (unmatched.length < Math.max(interfaces.patterns.length, 1)) {
      hasWarned = false;
      return;
    }
    const mayStillCome =
      unmatched.some(({ isPrefix }) => isPrefix) && clock.monotonic() - started < graceMillis;
    if (hasWarned || mayStillCome) return;
    hasWarned = true;
    const consequence =
      interfaces.kind === 'only'
        ? 'The rule catches nothing until there is one.'
        : 'The rule catches what arrives from outside the node, too.';
    logger.warn(
      { interfaces: shortList(names) },
      `no interface of this node is ${unmatched.map(patternText).join(' or ')}, which --host-interface=${hostInterfacesText(interfaces)} names. ${consequence}`,
    );
  }

  return {
    look(strangers) {
      if (interfaces.patterns.length > 0) lookForNames();
      const fresh = strangers.filter((name) => !named.has(name) && !isPodInterface(interfaces, name));
      // What is gone from the list may be named again; the list itself is bounded.
      named.clear();
      for (const name of strangers) named.add(name);
      if (fresh.length === 0) return;
      logger.warn(
        { interfaces: shortList(fresh) },
        `metadata requests arrive through interfaces that --host-interface=${hostInterfacesText(interfaces)} does not name. They do not reach the agent; if pods send them, name these interfaces.`,
      );
    },
  };
}

function shortList(names: readonly string[]): string {
  const shown = names.toSorted().slice(0, mostNamed).join(',');
  return names.length > mostNamed ? `${shown},… (${names.length})` : shown;
}
