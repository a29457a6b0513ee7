import { watch as watchFile } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock, Timer } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Certificates } from './certificates.ts';
import type { TlsFiles } from './tls.ts';

/** Calls `onChange` when something in the directory changes. Throws when it cannot be watched. */
export type WatchDirectory = (
  path: string,
  onChange: () => void,
  onError: (error: unknown) => void,
) => { close(): void };

export interface WatchCertificatesOptions {
  readonly certificates: Certificates;
  readonly files: TlsFiles;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Default: the operating system's. */
  readonly watchDirectory?: WatchDirectory;
}

/** A change comes as a burst of events: new directory, new link, old directory gone. Milliseconds. */
const settleMillis = 250;
/** A look without being told: some file systems tell nothing. Milliseconds. */
const pollMillis = 60_000;

/**
 * Keeps certificates in step with their files until the signal aborts. Directories are watched and not files,
 * because kubelet replaces a mounted secret by swapping a symbolic link beside it (kiam since v3.6 does the same).
 */
export function watchCertificates(options: WatchCertificatesOptions): void {
  const { certificates, files, clock, logger, signal, watchDirectory = watchWithSystem } = options;
  if (signal.aborted) return;
  let settling: Timer | undefined;
  let polling: Timer | undefined;

  function reloadSoon(): void {
    settling?.cancel();
    settling = clock.setTimer(settleMillis, () => void certificates.reload());
  }

  function poll(): void {
    polling = clock.setTimer(pollMillis, () => {
      void certificates.reload();
      poll();
    });
  }

  const directories = new Set([files.cert, files.key, files.ca].map((path) => dirname(path)));
  const watches = [...directories].flatMap((path) => {
    const onError = (error: unknown) =>
      logger.warn({ path }, `cannot watch for new certificates, looking every minute: ${messageOf(error)}`);
    try {
      return [watchDirectory(path, reloadSoon, onError)];
    } catch (error) {
      onError(error);
      return [];
    }
  });
  poll();
  signal.addEventListener(
    'abort',
    () => {
      settling?.cancel();
      polling?.cancel();
      for (const { close } of watches) close();
    },
    { once: true },
  );
}

const watchWithSystem: WatchDirectory = (path, onChange, onError) => {
  const watcher = watchFile(path, { persistent: false });
  watcher.on('change', onChange);
  watcher.on('error', onError);
  return { close: () => watcher.close() };
};
