import type { Server } from 'node:http';
import { Server as TcpServer } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';

/**
 * Stops accepting, lets the requests under way finish, and after `graceMillis` ends what is left. An idle connection is
 * left open for `lingerMillis`: the request of a client that has just connected may be on its way, and an upgrade must
 * not fail it. To Node a connection is idle that has brought nothing yet.
 */
export async function drain(
  server: Server,
  clock: Clock,
  graceMillis: number,
  lingerMillis: number,
): Promise<void> {
  if (!server.listening) return;
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  const linger = clock.setTimer(Math.min(lingerMillis, graceMillis), () => void closeIdle(server));
  const end = clock.setTimer(graceMillis, () => server.closeAllConnections());
  if (graceMillis > 0) await untilNoneIsWaiting(server, clock);
  // The HTTP server's own `close` ends idle connections at once, and with them those that have only just begun.
  TcpServer.prototype.close.call(server, () => resolve());
  if (graceMillis <= 0) server.closeAllConnections();
  await ended;
  linger.cancel();
  end.cancel();
  // Stops the timer that looks for late requests.
  server.close();
}

/** On a busy machine the timer comes late, and before what clients have sent meanwhile: that is read first. */
async function closeIdle(server: Server): Promise<void> {
  await setImmediate();
  server.closeIdleConnections();
}

/** So that a flood of connections cannot keep us from closing. A turn takes some 50 microseconds, or does work. */
const maxTurns = 2_048;
const briefMillis = 0.1;

/**
 * The kernel resets connections that it made for us and that were not accepted yet when a listener closes. Each turn
 * of the event loop accepts some; after a brief one with none, hardly any can have come meanwhile: now is the time.
 * What is left of the gap is closed by the kernel's `tcp_migrate_req` alone, where another process listens too.
 */
async function untilNoneIsWaiting(server: Server, clock: Clock): Promise<void> {
  let accepted = 0;
  const count = () => {
    accepted += 1;
  };
  server.on('connection', count);
  // The turn under way may have passed the listener already.
  await setImmediate();
  for (let turn = 0; turn < maxTurns; turn++) {
    const before = accepted;
    const began = clock.monotonic();
    await setImmediate();
    if (accepted === before && clock.monotonic() - began < briefMillis) break;
  }
  server.removeListener('connection', count);
}
