import { type AssumeRoleBackend, createAssumeRoleBackend } from '../credentials/assume-role-backend.ts';
import { capSessionDuration } from '../credentials/session-duration.ts';
import type { ProcessContext } from './process-context.ts';

export interface ConnectToStsOptions {
  readonly context: Pick<ProcessContext, 'clock' | 'logger' | 'signal'>;
  readonly sessionMillis: number;
  /** The region of the endpoint. The global endpoint unless given. */
  readonly region: string | undefined;
  readonly endpoint: string | undefined;
  /** A role that is assumed first, as an ARN. */
  readonly assumeRoleArn?: string;
}

/** STS as configured. Says in the background who it is called as; STS being away now is no reason not to start. */
export function connectToSts(options: ConnectToStsOptions): AssumeRoleBackend {
  const { context, sessionMillis, region, endpoint, assumeRoleArn } = options;
  const { clock, logger, signal } = context;
  const backend = createAssumeRoleBackend({
    clock,
    sessionSeconds: sessionMillis / 1_000,
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(assumeRoleArn === undefined ? {} : { assumeRoleArn }),
  });
  void backend.describeCaller(signal).then(
    (outcome) => {
      if (outcome.kind !== 'known') {
        logger.warn(
          { code: outcome.code },
          `cannot tell whose credentials are used to call STS: ${outcome.message}`,
        );
        return;
      }
      const { arn, chained } = outcome.caller;
      logger.info({ arn }, 'calling STS as');
      const { note } = capSessionDuration({ requestedSeconds: sessionMillis / 1_000, chained });
      if (note !== undefined) logger.warn(note);
    },
    () => {},
  );
  return backend;
}
