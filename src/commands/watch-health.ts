import type { Clock } from '../base/clock.ts';
import { formatDuration } from '../base/duration.ts';
import type { ClusterObject } from '../cluster/objects.ts';
import type { Watch } from '../cluster/watch.ts';
import type { Health } from '../telemetry/health.ts';

/**
 * Readiness of a watch. Ready once the whole has been seen; a watch that lost contact later stays ready, because what
 * is known goes on being served, and says since when it is out of touch.
 */
export function addWatchCheck<T extends ClusterObject>(
  health: Health,
  name: string,
  watch: Watch<T>,
  clock: Clock,
): void {
  health.add('ready', name, () => {
    const { status } = watch;
    switch (status.kind) {
      case 'syncing':
        return { ok: false, message: 'has not seen the whole of the cluster yet' };
      case 'live':
        return { ok: true, message: `in touch, ${watch.size} objects` };
      case 'stale': {
        const since = formatDuration(Math.round(clock.monotonic() - status.since));
        return { ok: true, message: `out of touch for ${since}, serving ${watch.size} objects known before` };
      }
    }
  });
}

/** Resolves when the whole of a resource has been seen for the first time. */
export function whenLive<T extends ClusterObject>(watch: Watch<T>): Promise<void> {
  return new Promise((resolve) => {
    const unsubscribe = watch.subscribe({
      upsert: () => {},
      remove: () => {},
      status(status) {
        if (status.kind !== 'live') return;
        resolve();
        queueMicrotask(() => unsubscribe());
      },
    });
  });
}
