import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';

/** V8 settles how large an object of a constructor is when it makes the seventh (`kSlackTrackingCounterStart`). */
const untilSettled = 8;

/**
 * Has V8 settle the layout of Node's requests and responses while all of their properties can be seen. To be called
 * before the first request.
 *
 * It keeps the room in an object that the objects so far have used, by what is left of their hidden classes. Those are
 * held weakly: where the first requests come one by one, as probes and scrapes do, a garbage collection between them
 * takes what they used out of sight. Every later response then has no room for its properties, and Node's, which have
 * symbols for names, become a hash table: 40 % more CPU time for every request (docs/performance.md).
 */
export function settleHiddenClasses(): void {
  // The list keeps each of them until the last is made.
  Array.from({ length: untilSettled }, () => new ServerResponse(new IncomingMessage(new Socket())));
}
