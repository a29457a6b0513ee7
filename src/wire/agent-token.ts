import { readFile } from 'node:fs/promises';
import { type Clock, sleep } from '../base/clock.ts';
import { messageOf, PodpassError } from '../base/errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import { tokenExpiry } from './token-expiry.ts';

export interface AgentTokenOptions {
  readonly path: string;
  /** Whether somebody asked for this file. If not, it is used where it is there. */
  readonly isRequired: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The token that shows servers which node this agent is on. kubelet writes a new one long before the old one ends. */
export interface AgentToken {
  /** The token, unless there is none or it has ended: a server refuses those, and may know the agent by its address. */
  current(): string | undefined;
  /** Reads the file again about once a minute until the signal aborts. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

const againMillis = 60_000;
/** kubelet writes one or two kB. */
const longestToken = 16_384;

/**
 * Reads the token for the first time.
 *
 * @throws PodpassError ERR_FILE when a file that was asked for cannot be read, or one that is there is no token
 */
export async function loadAgentToken(options: AgentTokenOptions): Promise<AgentToken> {
  const { path, isRequired, clock, logger } = options;
  let token: string | undefined;
  let expires = Number.POSITIVE_INFINITY;
  let isTold = false;

  async function read(): Promise<void> {
    const text = (await readFile(path, 'utf8')).trim();
    if (text === token) return;
    if (text.length > longestToken || !/^[\w.~+/-]+=*$/.test(text))
      throw new Error('there is no token in it');
    token = text;
    expires = tokenExpiry(text) ?? Number.POSITIVE_INFINITY;
  }

  try {
    await read();
    logger.info({ path }, 'servers are shown the token of the pod');
  } catch (cause) {
    if (isRequired || !isMissing(cause)) {
      throw new PodpassError(
        'ERR_FILE',
        `cannot use --token-file ${path}: ${messageOf(cause)}. It should be a projected service account token for the ` +
          'audience podpass, as in deploy/manifests/agent.yaml.',
        { cause },
      );
    }
    logger.debug(
      { path },
      'there is no token to show to servers: they know this agent by its certificate and address',
    );
  }

  return {
    current: () => (clock.now() < expires ? token : undefined),
    async run(signal) {
      // What was not there at the start is not mounted.
      while (token !== undefined) {
        await sleep(clock, againMillis, signal).catch(() => {});
        if (signal.aborted) return;
        try {
          await read();
          isTold = false;
        } catch (error) {
          if (!isTold)
            logger.warn(
              { path },
              `the token cannot be read again, so the last one is used: ${messageOf(error)}`,
            );
          isTold = true;
        }
      }
    },
  };
}

function isMissing(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT';
}
