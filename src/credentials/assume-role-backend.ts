import type { STSClient, STSClientConfig } from '@aws-sdk/client-sts';
import { bounded } from '../base/bounded.ts';
import type { Clock } from '../base/clock.ts';
import { formatDuration } from '../base/duration.ts';
import { type CallerIdentity, parseCallerArn } from './caller-identity.ts';
import { limitAnswers } from './limit-answers.ts';
import { type ClientSettings, loadOwnCredentials } from './own-credentials.ts';
import type { AssumeRoleOutcome, SessionIdentity, StsBackend } from './session.ts';
import { capSessionDuration, chainingLimitSeconds } from './session-duration.ts';
import { classifyStsError, type StsFailure } from './sts-errors.ts';

export interface AssumeRoleBackendOptions {
  readonly clock: Clock;
  /** What to ask STS for. Capped at an hour by itself where podpass's own credentials come from a role. */
  readonly sessionSeconds: number;
  /** The region of the STS endpoint. Without one it is the legacy global endpoint, in us-east-1. */
  readonly region?: string;
  /** Instead of the SDK's table of endpoints: a VPC endpoint without private DNS, a sandbox. */
  readonly endpoint?: string;
  /** A role that podpass assumes first, to assume all others from there. */
  readonly assumeRoleArn?: string;
  /** podpass's own credentials. Default: the SDK's chain. */
  readonly credentials?: NonNullable<STSClientConfig['credentials']>;
  /** The bound of one call, with getting our own credentials for it. Default 8 s. */
  readonly requestTimeoutMillis?: number;
  /** Connections to STS, kept open between calls. Default 32. */
  readonly maxSockets?: number;
  /** What CloudTrail shows as user agent: `podpass/<version>`. */
  readonly version?: string;
}

/** Who podpass is for AWS, or why that cannot be told. */
export type CallerOutcome =
  | { readonly kind: 'known'; readonly caller: CallerIdentity }
  | Exclude<AssumeRoleOutcome, { kind: 'issued' }>;

export interface AssumeRoleBackend extends StsBackend {
  /** GetCallerIdentity, which needs no permission. For a line at start, and for the account's role base ARN. */
  describeCaller(signal: AbortSignal): Promise<CallerOutcome>;
  /** Closes the connections. */
  close(): void;
}

const askAgainMillis = 60_000;

/** Session tokens may grow, says AWS; they have 2 kB at the most today. */
const longestAnswer = 262_144;

type Sdk = typeof import('@aws-sdk/client-sts');

/**
 * Calls AssumeRole with the AWS SDK, which is loaded with the first call. One client and its connections serve all
 * identities. The SDK does not repeat calls; `createSessionCache` does, which knows the budget.
 *
 * `assumeRole` and `describeCaller` reject only with the reason of their signal.
 *
 * @example
 * ```ts
 * const backend = createAssumeRoleBackend({ clock: systemClock, sessionSeconds: 3_600, region: 'eu-west-1' });
 * const outcome = await backend.assumeRole({ roleArn, sessionName: 'kiam-kiam' }, signal);
 * ```
 */
export function createAssumeRoleBackend(options: AssumeRoleBackendOptions): AssumeRoleBackend {
  const { clock, sessionSeconds, requestTimeoutMillis = 8_000 } = options;
  let loading: Promise<{ sdk: Sdk; client: STSClient }> | undefined;
  const closing = new AbortController();
  let chained: boolean | undefined = options.assumeRoleArn === undefined ? undefined : true;
  let asking: Promise<unknown> | undefined;
  let askAgainAt = Number.NEGATIVE_INFINITY;

  function load() {
    loading ??= createClient(options);
    return loading;
  }

  /** Runs a call within its bound, and turns what it throws into an outcome. */
  async function attempt<T>(
    signal: AbortSignal,
    call: (signal: AbortSignal) => Promise<T>,
  ): Promise<T | StsFailure> {
    try {
      const result = await bounded(clock, requestTimeoutMillis, signal, call);
      if (result.kind === 'done') return result.value;
      const message = `STS did not answer within ${formatDuration(requestTimeoutMillis)}.`;
      return { kind: 'unavailable', code: 'RequestTimeout', message };
    } catch (thrown) {
      signal.throwIfAborted();
      return classifyStsError(thrown);
    }
  }

  async function askWhoWeAre(signal: AbortSignal): Promise<CallerOutcome> {
    const { sdk, client } = await load();
    const { Arn = '' } = await client.send(new sdk.GetCallerIdentityCommand({}), { abortSignal: signal });
    const caller = parseCallerArn(Arn);
    if (!caller) return malformed('GetCallerIdentity named no caller');
    chained = caller.chained;
    return { kind: 'known', caller };
  }

  /**
   * STS refuses a chained session of more than an hour outright, so we must know before we ask for one. While we
   * cannot know (a VPC endpoint may deny GetCallerIdentity), an hour is what always works.
   */
  async function durationSeconds(): Promise<number> {
    if (sessionSeconds > chainingLimitSeconds && chained === undefined) {
      if (clock.monotonic() >= askAgainAt) {
        askAgainAt = clock.monotonic() + askAgainMillis;
        asking = attempt(closing.signal, askWhoWeAre).catch(() => undefined);
      }
      await asking;
    }
    return capSessionDuration({ requestedSeconds: sessionSeconds, chained: chained ?? true }).seconds;
  }

  async function callAssumeRole(identity: SessionIdentity, signal: AbortSignal): Promise<AssumeRoleOutcome> {
    const { sdk, client } = await load();
    const DurationSeconds = await durationSeconds();
    const command = new sdk.AssumeRoleCommand({
      RoleArn: identity.roleArn,
      RoleSessionName: identity.sessionName,
      DurationSeconds,
      ...(identity.externalId === undefined ? {} : { ExternalId: identity.externalId }),
    });
    const calledAt = clock.monotonic();
    const { Credentials } = await client.send(command, { abortSignal: signal });
    const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = Credentials ?? {};
    if (!AccessKeyId || !SecretAccessKey || !SessionToken || !Expiration) {
      return malformed('AssumeRole gave no complete credentials');
    }
    const issuedAt = clock.now();
    const expiration = Expiration.getTime();
    return {
      kind: 'issued',
      credentials: {
        accessKeyId: AccessKeyId,
        secretAccessKey: SecretAccessKey,
        sessionToken: SessionToken,
        expiration,
        issuedAt,
        // STS never gives more than it was asked for; if it seems to, our clock is slow.
        goodUntil: calledAt + Math.min(expiration - issuedAt, DurationSeconds * 1_000),
      },
    };
  }

  return {
    async assumeRole(identity, signal) {
      const outcome = await attempt(signal, (inner) => callAssumeRole(identity, inner));
      return outcome.kind === 'issued' ? outcome : withoutExternalId(outcome, identity.externalId);
    },
    describeCaller: (signal) => attempt(signal, askWhoWeAre),
    close() {
      closing.abort(new DOMException('the STS back-end was closed', 'AbortError'));
      loading?.then(({ client }) => client.destroy()).catch(() => undefined);
    },
  };
}

async function createClient(options: AssumeRoleBackendOptions): Promise<{ sdk: Sdk; client: STSClient }> {
  const { region, endpoint, credentials, assumeRoleArn, maxSockets = 32, version } = options;
  const sdk = await import('@aws-sdk/client-sts');
  const agent = { keepAlive: true, maxSockets };
  const clientConfig: ClientSettings = {
    ...(region === undefined ? { region: 'us-east-1', useGlobalEndpoint: true } : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    maxAttempts: 1,
    // The bound of a call is ours; these end what the SDK would otherwise leave open behind it.
    requestHandler: {
      connectionTimeout: 3_000,
      requestTimeout: options.requestTimeoutMillis ?? 8_000,
      throwOnRequestTimeout: true,
      httpAgent: agent,
      httpsAgent: agent,
    },
    customUserAgent: [version === undefined ? ['podpass'] : ['podpass', version]],
  };
  const own = await loadOwnCredentials({
    clientConfig,
    ...(credentials === undefined ? {} : { credentials }),
    ...(assumeRoleArn === undefined ? {} : { assumeRoleArn }),
  });
  const client = new sdk.STSClient({ ...clientConfig, credentials: own });
  limitAnswers(client, longestAnswer);
  return { sdk, client };
}

function malformed(what: string): StsFailure {
  return { kind: 'unavailable', code: 'MalformedAnswer', message: `${what}: is this STS, or a proxy?` };
}

/** STS quotes what it finds malformed in its message, which goes into events and answers. */
function withoutExternalId(failure: StsFailure, externalId: string | undefined): StsFailure {
  if (!externalId) return failure;
  return { ...failure, message: failure.message.replaceAll(`'${externalId}'`, "'[external id]'") };
}
