import { answerFor } from '../../../src/broker/answer.ts';
import type { PodView } from '../../../src/broker/broker.ts';
import { makeView } from '../../../src/broker/testing/objects.ts';
import { createAnswerReplies } from '../../../src/metadata/answer-reply.ts';
import type { Reply } from '../../../src/metadata/reply.ts';
import { podFromMessage, podToMessage } from '../../../src/wire/convert.ts';
import * as kiam from '../../../src/wire/gen/kiam.ts';
import * as podpass from '../../../src/wire/gen/podpass.ts';
import { kiamErrorText } from '../../../src/wire/kiam-errors.ts';
import { type FuzzTarget, holds } from '../fuzz-target.ts';

const now = Date.UTC(2026, 0, 1);
const issued = makeView({
  name: 'web',
  session: {
    kind: 'issued',
    credentials: {
      accessKeyId: 'ASIA',
      secretAccessKey: 'secret',
      sessionToken: 'token',
      issuedAt: now,
      goodUntil: 3_600_000,
      expiration: now + 3_600_000,
    },
    problem: { code: 'Throttling', message: 'slow down' },
  },
});
const views: readonly PodView[] = [
  issued,
  makeView({ name: 'a', session: { kind: 'refused', code: 'AccessDenied', message: 'no' } }),
  makeView({
    name: 'b',
    session: { kind: 'unavailable', code: 'Away', message: 'later' },
    addresses: ['10.0.0.1', 'fd00::1'],
  }),
  makeView({
    name: 'c',
    decision: { kind: 'no-role', findings: [{ question: 'role', lookedAt: 'a', found: 'b' }] },
  }),
  makeView({ name: 'd', decision: { kind: 'invalid', annotation: 'x', problem: 'y', findings: [] } }),
  makeView({
    name: 'e',
    decision: {
      kind: 'forbidden',
      role: { name: 'r', arn: 'arn:aws:iam::123456789012:role/r' },
      refusal: { rule: 'invalid', annotation: 'x', expression: '(', problem: 'p' },
      findings: [],
    },
  }),
];
const decoders: readonly { decode(bytes: Uint8Array): unknown }[] = [
  podpass.NodeEvent,
  podpass.FindPodRequest,
  podpass.FindPodResponse,
  podpass.WatchNodeRequest,
  kiam.GetPodRoleRequest,
  kiam.GetPodCredentialsRequest,
  kiam.Role,
  kiam.Credentials,
  kiam.HealthStatus,
];
const replies = createAnswerReplies();

export const target: FuzzTarget = {
  name: 'messages',
  about:
    'protobuf of both services: decoders end, a pod that is taken goes over the wire unchanged and is answered well',
  maxBytes: 1_024,
  seeds: [
    ...views.map((view) => podpass.Pod.encode(podToMessage(view, 0)).finish()),
    podpass.FindPodRequest.encode({
      node: { nodeName: 'n', hostIp: '' },
      address: '10.0.0.1',
      waitMillis: 100,
    }).finish(),
    kiam.Credentials.encode({
      code: 'Success',
      type: 'AWS-HMAC',
      accessKeyId: 'A',
      secretAccessKey: 'S',
      token: 'T',
      expiration: '2026-01-01T00:00:00Z',
      lastUpdated: '',
    }).finish(),
  ],
  open: () => ({
    run(input) {
      for (const decoder of decoders) decode(decoder, input);
      const message = decode(podpass.Pod, input) as podpass.Pod | undefined;
      if (!message) return;
      const read = podFromMessage(message, 0);
      if (read.kind === 'malformed') {
        holds(read.problem.length < 200, 'a problem is not short');
        return;
      }
      const view = read.value;
      holds(view.uid !== '' && view.namespace !== '' && view.name !== '', 'a pod without identity was taken');
      const again = podFromMessage(podpass.Pod.decode(podpass.Pod.encode(podToMessage(view, 0)).finish()), 0);
      holds(JSON.stringify(again) === JSON.stringify(read), 'a pod is another after it went over the wire');
      checkAnswers(view);
    },
  }),
};

/** Decoders throw at what is no message, which the library answers. What they must not do is to go on, or too deep. */
function decode(decoder: { decode(bytes: Uint8Array): unknown }, bytes: Uint8Array): unknown {
  try {
    return decoder.decode(bytes);
  } catch (thrown) {
    holds(thrown instanceof Error, 'what is thrown is no error');
    holds(
      !/call stack|array length|Cannot read/.test(thrown.message),
      () => `a decoder broke: ${String(thrown)}`,
    );
    return undefined;
  }
}

function checkAnswers(view: PodView): void {
  const { session } = view;
  const expiration = session.kind === 'issued' ? session.credentials.expiration : now;
  for (const at of [now, expiration - 3_600_000]) {
    const answer = answerFor(view, at);
    checkReply(replies.list(answer));
    checkReply(replies.credentials(answer, view.decision.kind === 'granted' ? view.decision.role.name : 'x'));
    if (answer.kind === 'credentials') {
      holds(
        view.decision.kind === 'granted' && session.kind === 'issued',
        'credentials of a pod that has none',
      );
      holds(answer.credentials.expiration > at, 'credentials that have ended');
    } else if (answer.kind !== 'pending') {
      const text = kiamErrorText('GetPodCredentials', answer);
      // As grpc-js puts it into a header.
      holds(encodeURI(text).length < 12_000, 'a text is no header');
    }
  }
}

function checkReply({ status, headers, body }: Reply): void {
  holds([200, 403, 404, 503].includes(status), `answered ${status}`);
  const at = headers.indexOf('Content-Length');
  holds(Number(headers[at + 1]) === Buffer.byteLength(body), 'the length is not that of the body');
  holds(
    headers.every((text) => /^[\t -~]*$/.test(text)),
    'a header has what no header may have',
  );
}
