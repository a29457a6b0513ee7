/** As shells have it: 128 and the number of the signal. */
const statuses = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
type EndSignal = keyof typeof statuses;
const brokenPipeStatus = 141;

/** The exit status for each reason that a signal of this file has aborted with. */
const requests = new WeakMap<object, number>();

function requestToEnd(text: string, status: number): DOMException {
  const request = new DOMException(text, 'AbortError');
  requests.set(request, status);
  return request;
}

/** The exit status of a command that could not finish because it was asked to end, if that is what was thrown. */
export function statusOfRequestToEnd(thrown: unknown): number | undefined {
  return thrown instanceof Object ? requests.get(thrown) : undefined;
}

/**
 * A signal that aborts when the process is asked to end (SIGTERM, SIGINT, SIGHUP). A second request ends it at once: a
 * person who presses Ctrl-C twice means it. Of SIGHUP a closed terminal sends several.
 */
export function shutdownSignal(): AbortSignal {
  const controller = new AbortController();
  const ask = (name: EndSignal) => {
    if (!controller.signal.aborted) controller.abort(requestToEnd(`received ${name}`, statuses[name]));
    else if (name !== 'SIGHUP') process.exit(statuses[name]);
  };
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, ask);
  return controller.signal;
}

/** The same for a process whose parent may die without a word: it also ends when its standard input does. */
export function parentSignal(): AbortSignal {
  const controller = new AbortController();
  const gone = () => controller.abort(requestToEnd('the parent process is gone', 0));
  // Listened to, but no reason to stay alive. A file has no `unref`, and ends by itself.
  process.stdin.once('end', gone).once('error', gone).resume().unref?.();
  return AbortSignal.any([shutdownSignal(), controller.signal]);
}

/** The same for a command that talks to a person: it also ends when nobody reads on (`| head`, a closed terminal). */
export function audienceSignal(): AbortSignal {
  const controller = new AbortController();
  process.stdout.on('error', () =>
    controller.abort(requestToEnd('nobody reads the output any more', brokenPipeStatus)),
  );
  return AbortSignal.any([shutdownSignal(), controller.signal]);
}

/** Keeps the process alive until the work is done: what it waits for may be nothing but our timers, which do not. */
export async function untilDone<T>(work: Promise<T>): Promise<T> {
  const keepAlive = setInterval(() => {}, 2 ** 30);
  try {
    return await work;
  } finally {
    clearInterval(keepAlive);
  }
}

/** Resolves when the signal aborts. Keeps the process alive until then. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const keepAlive = setInterval(() => {}, 2 ** 30);
    signal.addEventListener(
      'abort',
      () => {
        clearInterval(keepAlive);
        resolve();
      },
      { once: true },
    );
  });
}
