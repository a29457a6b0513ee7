import { type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import type { Clock } from '../base/clock.ts';
import { unreachable } from '../base/errors.ts';
import { isConclusive } from '../broker/answer.ts';
import type { Answer, Broker } from '../broker/broker.ts';
import type { NodeBrokers } from '../broker/node-brokers.ts';
import { isRequestedRole } from '../broker/requested-role.ts';
import type { Credentials } from '../credentials/session.ts';
import type { HealthReport } from '../telemetry/health.ts';
import type { Agent, AgentGate, Refusal } from './agent-gate.ts';
import { deadlineSignal } from './call-bounds.ts';
import * as kiam from './gen/kiam.ts';
import { kiamDate } from './kiam-date.ts';
import { kiamErrorText, kiamTexts } from './kiam-errors.ts';
import type { GrpcService } from './service.ts';

export interface KiamServiceOptions {
  readonly broker: Broker;
  /** Who may have which node's pods. Default: any agent any node's, as kiam has it. */
  readonly scope?: { readonly gate: AgentGate; readonly brokers: NodeBrokers };
  readonly clock: Clock;
  /**
   * How this process lives. kiam's manifests use GetHealth as the liveness probe, so it must not fail for a fault
   * elsewhere. Default: always well, as kiam's was.
   */
  readonly health?: () => HealthReport;
  /** The longest that a call waits for a pod or its credentials, in milliseconds. kiam's agents allow 5 s. */
  readonly waitMillis?: number;
}

/**
 * `kiam.KiamService` as kiam's servers have it, so that kiam's agents can be served before they are replaced.
 *
 * A call that can be answered from memory is answered in the same turn of the event loop. One about a pod that is
 * not known yet waits; a refusal never does. As in kiam 4.2: every failure is code UNKNOWN with
 * kiam's text; GetPodRole applies no policy and says '' for a pod without a role, which kiam's agents turn into 404.
 */
export function createKiamService(options: KiamServiceOptions): GrpcService {
  const { broker: whole, scope, clock, health, waitMillis = 4_500 } = options;

  /** Answers with what the agent may see: at once, where nobody has to be asked who it is. */
  function admit<Request extends { readonly ip: string }, Response>(
    call: ServerUnaryCall<Request, Response>,
    respond: sendUnaryData<Response>,
    serve: (view: AgentView) => void,
  ): void {
    if (!scope) {
      serve({ broker: whole, answered() {} });
      return;
    }
    const { gate, brokers } = scope;
    const { ip } = call.request;
    const asked = () => brokers.nodesAt(ip)[0];
    const decide = (admitted: Agent | Refusal) => {
      if (admitted.kind === 'refused') respond(admitted);
      else serve(viewOf(admitted, asked));
    };
    const admitted = gate.admit(call, asked);
    if (admitted instanceof Promise) void admitted.then(decide);
    else decide(admitted);

    function viewOf(agent: Agent, nodeOfPod: () => string | undefined): AgentView {
      return {
        broker: agent.kind === 'node' ? brokers.of(agent.nodeName) : whole,
        answered(answer) {
          const elsewhere = agent.kind === 'node' && answer.kind === 'unknown' ? nodeOfPod() : undefined;
          if (elsewhere === undefined) gate.served(agent, nodeOfPod);
          else gate.missed(agent, elsewhere);
        },
      };
    }
  }

  /** Answers now if that can be done, else when there is more to say. */
  function serve<Request extends { readonly ip: string }, Response>(
    call: ServerUnaryCall<Request, Response>,
    { broker, answered }: AgentView,
    wanted: 'role' | 'credentials',
    answer: (answer: Answer) => void,
    respond: sendUnaryData<Response>,
  ): void {
    const { ip } = call.request;
    const finish = (found: Answer) => {
      answered(found);
      answer(found);
    };
    const known = broker.ask(ip);
    if (isConclusive(known, wanted)) {
      finish(known);
      return;
    }
    const { millis, signal, end } = deadlineSignal(call, clock, waitMillis);
    broker.askPatiently(ip, { waitMillis: millis, signal, for: wanted }).then(
      () => {
        end();
        // Asked again in this turn: the address may have changed hands since the wait ended.
        finish(broker.ask(ip));
      },
      () => {
        end();
        respond({ code: status.CANCELLED, details: 'the caller went away' });
      },
    );
  }

  function getPodRole(
    call: ServerUnaryCall<kiam.GetPodRoleRequest, kiam.Role>,
    respond: sendUnaryData<kiam.Role>,
  ): void {
    admit(call, respond, (view) =>
      serve(call, view, 'role', (answer) => respondRole(answer, respond), respond),
    );
  }

  function getPodCredentials(
    call: ServerUnaryCall<kiam.GetPodCredentialsRequest, kiam.Credentials>,
    respond: sendUnaryData<kiam.Credentials>,
  ): void {
    const { ip, role } = call.request;
    admit(call, respond, (view) => {
      // A role that is not the pod's is refused as soon as the pod's role is known: there is nothing to wait for.
      const known = view.broker.ask(ip);
      const refusal = refusalOf(known, role);
      if (refusal !== undefined) {
        view.answered(known);
        respond(unknownError(refusal));
        return;
      }
      serve(call, view, 'credentials', (answer) => respondCredentials(answer, role, respond), respond);
    });
  }

  function getHealth(
    _call: ServerUnaryCall<kiam.GetHealthRequest, kiam.HealthStatus>,
    respond: sendUnaryData<kiam.HealthStatus>,
  ): void {
    const report = health?.();
    if (!report || report.ok) {
      respond(null, { message: 'ok' });
      return;
    }
    const failed = report.checks.filter(({ ok }) => !ok).map(({ name, message }) => `${name}: ${message}`);
    respond(unknownError(failed.join('; ').slice(0, 1_024).toWellFormed()));
  }

  const implementation: kiam.KiamServiceServer = { getPodRole, getPodCredentials, getHealth };
  return { definition: kiamServiceDefinition, implementation };
}

/** The pods that an agent may ask for. */
interface AgentView {
  readonly broker: Broker;
  /** Counts the call. */
  answered(answer: Answer): void;
}

function respondCredentials(answer: Answer, role: string, respond: sendUnaryData<kiam.Credentials>): void {
  const refusal = refusalOf(answer, role);
  if (refusal !== undefined) respond(unknownError(refusal));
  else if (answer.kind === 'credentials') respond(null, credentialsMessage(answer.credentials));
  else respond(unknownError(kiamErrorText('GetPodCredentials', answer)));
}

/** The role that a pod is bound to, whether it may have it or not: kiam lists it either way. */
function respondRole(answer: Answer, respond: sendUnaryData<kiam.Role>): void {
  switch (answer.kind) {
    case 'credentials':
    case 'pending':
    case 'refused':
    case 'unavailable':
      respond(null, { name: answer.role.name });
      return;
    case 'no-role':
      respond(null, { name: '' });
      return;
    case 'forbidden':
      if (answer.decision.kind === 'forbidden') respond(null, { name: answer.decision.role.name });
      else respond(unknownError(kiamErrorText('GetPodRole', answer)));
      return;
    case 'unknown':
    case 'undecided':
    case 'ambiguous':
      respond(unknownError(kiamErrorText('GetPodRole', answer)));
      return;
    default:
      unreachable(answer);
  }
}

/** Why the role that the call names is not given, whatever became of the session. */
function refusalOf(answer: Answer, requested: string): string | undefined {
  switch (answer.kind) {
    case 'credentials':
    case 'pending':
    case 'refused':
    case 'unavailable':
      if (requested === '') return kiamTexts.emptyRole;
      return isRequestedRole(requested, answer.role) ? undefined : kiamTexts.forbidden;
    default:
      return undefined;
  }
}

/** A plain object: an Error would cost a stack trace for every refusal. */
interface UnknownError {
  readonly code: status;
  readonly details: string;
}

function unknownError(details: string): UnknownError {
  return { code: status.UNKNOWN, details };
}

/** Messages and bytes of credentials that have been served before: the same for every pod that shares a session. */
const messages = new WeakMap<Credentials, kiam.Credentials>();
const encoded = new WeakMap<kiam.Credentials, Buffer>();

function credentialsMessage(credentials: Credentials): kiam.Credentials {
  const known = messages.get(credentials);
  if (known) return known;
  const message: kiam.Credentials = {
    code: 'Success',
    type: 'AWS-HMAC',
    accessKeyId: credentials.accessKeyId,
    secretAccessKey: credentials.secretAccessKey,
    token: credentials.sessionToken,
    expiration: kiamDate(credentials.expiration),
    lastUpdated: kiamDate(credentials.issuedAt),
  };
  messages.set(credentials, message);
  return message;
}

/** The generated definition, except that credentials are encoded once. */
const kiamServiceDefinition = {
  ...kiam.KiamServiceService,
  getPodCredentials: {
    ...kiam.KiamServiceService.getPodCredentials,
    responseSerialize(message: kiam.Credentials): Buffer {
      const known = encoded.get(message);
      if (known) return known;
      const bytes = kiam.KiamServiceService.getPodCredentials.responseSerialize(message);
      encoded.set(message, bytes);
      return bytes;
    },
  },
};
