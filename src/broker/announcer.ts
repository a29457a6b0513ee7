import { explainDecision } from '../roles/explain.ts';
import { podFields } from '../telemetry/log-fields.ts';
import type { Logger } from '../telemetry/logger.ts';
import { answerFor } from './answer.ts';
import type { PodView } from './broker.ts';
import type { PodTable } from './pod-table.ts';
import { renderAnswer } from './render-answer.ts';

/** kiam's two event reasons, which people's alerts look for. */
export type EventReason = 'KiamRoleForbidden' | 'KiamCredentialError';

/** What kiam's log begins such lines with, and people search for. */
const kiamText = {
  KiamRoleForbidden: 'pod denied by policy',
  KiamCredentialError: 'error retrieving credentials',
} as const satisfies Record<EventReason, string>;

/** An event about a pod. `message` is for a person and holds no secret. */
export interface PodEvent {
  readonly pod: PodView;
  readonly reason: EventReason;
  readonly message: string;
}

export interface AnnouncerOptions {
  readonly table: PodTable;
  /** Only pods of these nodes: of several servers, one speaks. */
  readonly isFed: (nodeName: string) => boolean;
  readonly record: (event: PodEvent) => void;
  readonly logger: Logger;
}

export interface Announcer {
  /** A node began to be fed: what is wrong with its pods is now ours to say. */
  feedChanged(nodeName: string): void;
  stop(): void;
}

/**
 * Says once of each pod what went wrong with it, as a Kubernetes event and a log line: when it becomes wrong, not each
 * time somebody asks. Both are renderings of the pod's decision and session.
 */
export function startAnnouncer({ table, isFed, record, logger }: AnnouncerOptions): Announcer {
  /** What was last said of each pod, by UID. */
  const said = new Map<string, string>();

  function announce(view: PodView): void {
    if (!isFed(view.nodeName)) return;
    const event = eventOf(view);
    const text = event && `${event.reason} ${event.message}`;
    if (text === said.get(view.uid)) return;
    if (!event || text === undefined) {
      said.delete(view.uid);
      return;
    }
    said.set(view.uid, text);
    record(event);
    logger.warn({ ...fieldsOf(view), reason: event.reason }, `${kiamText[event.reason]}: ${event.message}`);
  }

  /** How each decision came about, for whoever turns the log up. */
  function explain(view: PodView): void {
    if (!logger.isLevelEnabled('debug')) return;
    logger.debug({ ...fieldsOf(view), explanation: explainDecision(view.decision) }, 'decided');
  }

  const stop = table.subscribe({
    upsert(view, previous) {
      if (view.decision !== previous?.decision) explain(view);
      announce(view);
    },
    remove: (view) => said.delete(view.uid),
  });
  return {
    stop,
    feedChanged(nodeName) {
      for (const view of table.values()) if (view.nodeName === nodeName) announce(view);
    },
  };
}

function eventOf(view: PodView): PodEvent | undefined {
  // Whether credentials have expired by now is not the question here: only what was decided and what STS said.
  const answer = answerFor(view, 0);
  if (answer.kind !== 'forbidden' && answer.kind !== 'refused') return undefined;
  return {
    pod: view,
    reason: answer.kind === 'forbidden' ? 'KiamRoleForbidden' : 'KiamCredentialError',
    message: renderAnswer(answer).message,
  };
}

function fieldsOf(view: PodView) {
  const { decision } = view;
  return podFields('role' in decision ? { ...view, role: decision.role.name } : view);
}
