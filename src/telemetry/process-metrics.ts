import { readdirSync } from 'node:fs';
import { Counter, Gauge, type Registry } from 'prom-client';

/**
 * Adds what dashboards ask of every process, under Prometheus' usual names. Everything is read when it is scraped.
 *
 * prom-client's own set is not used: it measures the lag of the event loop with a timer that fires a hundred times a
 * second, and watches every garbage collection. An agent with nothing to do spent most of its CPU on that.
 */
export function addProcessMetrics(registry: Registry): void {
  const registers = [registry];
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'User and system CPU time spent, in seconds.',
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  gauge('process_start_time_seconds', 'When the process started, in seconds since the Unix epoch.', () =>
    Math.round(performance.timeOrigin / 1_000),
  );
  gauge('process_resident_memory_bytes', 'Resident memory, in bytes.', () => process.memoryUsage.rss());
  gauge('process_open_fds', 'Open file descriptors; 0 where the system does not tell.', countOpenFiles);
  gauge(
    'nodejs_heap_size_total_bytes',
    "Size of V8's heap, in bytes.",
    () => process.memoryUsage().heapTotal,
  );
  gauge(
    'nodejs_heap_size_used_bytes',
    "Used part of V8's heap, in bytes.",
    () => process.memoryUsage().heapUsed,
  );
  gauge(
    'nodejs_external_memory_bytes',
    "Buffers outside of V8's heap, in bytes.",
    () => process.memoryUsage().external,
  );
}

function countOpenFiles(): number {
  try {
    // The one that reads the folder is among them.
    return readdirSync('/proc/self/fd').length - 1;
  } catch {
    return 0;
  }
}
