import type { Namespace, Pod } from '../../../src/cluster/objects.ts';
import { defaultAnnotationKeys as keys } from '../../../src/roles/annotation-keys.ts';
import { createDecide, type DecideOptions } from '../../../src/roles/decide.ts';
import type { Decision } from '../../../src/roles/decision.ts';
import { fieldsOf, joined } from '../engine/text.ts';
import { type FuzzTarget, holds } from '../fuzz-target.ts';
import { referenceGlob, referenceMatches } from '../lib/reference-regexp.ts';

const baseArn = 'arn:aws:iam::123456789012:role/';
const kiam: DecideOptions = { baseArn, defaultSessionName: 'kiam', keys, strictNamespaceRegexp: true };
const settings: readonly DecideOptions[] = [
  kiam,
  { ...kiam, strictNamespaceRegexp: false },
  { ...kiam, sessionNameFormat: 'kube2iam', advise: 'allowedRoles' },
  { defaultSessionName: 'kiam', keys, strictNamespaceRegexp: true, allowedRolesFormat: 'regexp' },
];

/**
 * A field that begins with `=` is an annotation that is there, with the rest for its value: role, session name and
 * external id of the pod, both annotations of the namespace. The last is the pod's address.
 */
export const target: FuzzTarget = {
  name: 'annotations',
  about:
    'all annotations of a pod and its namespace: what is granted is what the rules say, and refusals are short lines',
  maxBytes: 1_500,
  slowMillis: 400,
  seeds: [
    joined('=reader', '', '', '=.*', '', '10.0.0.1'),
    joined('=/team/reader', '=my session', '=secret-id', `=${baseArn}team/.*`, '', '10.0.0.1'),
    joined(`=${baseArn}reader`, '', '', '', '=["reader","team-*"]', 'fd00::1'),
    joined('=arn:aws-cn:iam::999999999999:role/a/b/c', '', '', '=arn:.*', '=["*"]', ''),
    joined('=reader', '=\ud83d\ude00', '=x', '=', '', '10.0.0.1'),
    joined('=ARN:aws:iam::1:role/x', '', '', '', '', ''),
    joined('', '=a', '=b', '=.*', '', '10.0.0.1'),
  ],
  dictionary: [
    '=',
    'arn:aws:iam::',
    ':role/',
    '123456789012',
    '["*"]',
    '.*',
    'team/',
    'A'.repeat(64),
    '\u001e',
  ],
  open: () => ({
    run(input) {
      const [role = '', session = '', external = '', permitted = '', allowed = '', address = ''] = fieldsOf(
        input,
        6,
      );
      const pod: Pod = {
        uid: 'uid',
        namespace: 'shop',
        name: 'web',
        resourceVersion: '1',
        nodeName: 'node-1',
        serviceAccountName: 'default',
        phase: 'Running',
        hostNetwork: false,
        terminating: false,
        hostIPs: [],
        podIPs: address === '' ? [] : [address],
        annotations: annotations({
          [keys.role]: role,
          [keys.sessionName]: session,
          [keys.externalId]: external,
        }),
      };
      const namespace: Namespace = {
        uid: 'ns',
        namespace: '',
        name: 'shop',
        resourceVersion: '1',
        annotations: annotations({ [keys.permitted]: permitted, [keys.allowedRoles]: allowed }),
      };
      for (const options of settings) {
        const decide = createDecide(options);
        const decision = decide(pod, namespace);
        holds(
          JSON.stringify(decide(pod, namespace)) === JSON.stringify(decision),
          'decides otherwise the second time',
        );
        const { [keys.externalId]: secret, ...others } = pod.annotations;
        checkTexts(decision, secret, decide({ ...pod, annotations: others }, namespace));
        if (decision.kind === 'granted') checkGrant(decision, options, pod, namespace);
        if (decision.kind === 'forbidden') checkRefusal(decision, options, namespace);
        const { kind } = decide(pod, undefined);
        holds(
          kind === 'undecided' || kind === 'no-role' || kind === 'invalid',
          `${kind} without the namespace`,
        );
      }
    },
  }),
};

function annotations(fields: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const present = Object.entries(fields).filter(([, value]) => value.startsWith('='));
  return Object.fromEntries(present.map(([key, value]) => [key, value.slice(1)]));
}

/** What is shown is one line each, bounded, and has no external id in it. */
function checkTexts(decision: Decision, secret: string | undefined, without: Decision): void {
  holds(decision.findings.length > 0 || decision.kind === 'granted', 'nothing explains the decision');
  const shown = JSON.stringify(decision.findings);
  holds(shown.length < 6_000, `${shown.length} characters of explanation`);
  for (const { found, lookedAt } of decision.findings) {
    holds(
      !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(found + lookedAt),
      `an explanation has controls in it: ${JSON.stringify(found)}`,
    );
  }
  // What stands there without it as well is no sign of it.
  const isTelling = secret !== undefined && secret.length >= 12 && !JSON.stringify(without).includes(secret);
  holds(!isTelling || !shown.includes(secret), 'the external id is shown');
}

function checkGrant(
  decision: Decision & { kind: 'granted' },
  options: DecideOptions,
  pod: Pod,
  namespace: Namespace,
): void {
  const { role, session } = decision;
  holds(
    /^arn:aws[a-z0-9-]*:iam::\d{12}:role\/(?:[!-~]{0,511}\/)?[\w+=,.@-]{1,64}$/.test(role.arn),
    `granted ${role.arn}`,
  );
  const written = pod.annotations[keys.role] ?? '';
  const meant = written.startsWith('arn:')
    ? written
    : `${options.baseArn ?? '?'}${written.replace(/^\//, '')}`;
  holds(role.arn === meant, `granted ${role.arn} for ${JSON.stringify(written)}`);
  holds(
    /^[\w+=,.@-]{2,64}$/.test(session.sessionName),
    `the session is named ${JSON.stringify(session.sessionName)}`,
  );
  holds(session.externalId === (pod.annotations[keys.externalId] || undefined), 'the external id is another');
  const verdicts = judge(role.arn, options, namespace);
  holds(verdicts.length > 0, 'granted, and the namespace says nothing');
  holds(!verdicts.includes(false), `granted, and the namespace refuses ${role.arn}`);
}

function checkRefusal(
  decision: Decision & { kind: 'forbidden' },
  options: DecideOptions,
  namespace: Namespace,
): void {
  if (decision.refusal.rule !== 'no-match') return;
  const verdicts = judge(decision.role.arn, options, namespace);
  holds(
    verdicts.length === 0 || verdicts.some((verdict) => verdict !== true),
    'refused, and the namespace permits',
  );
}

/** What each annotation that is there says, as far as the reference can tell. */
function judge(
  arn: string,
  options: DecideOptions,
  { annotations: found }: Namespace,
): (boolean | undefined)[] {
  const verdicts: (boolean | undefined)[] = [];
  const expression = found[keys.permitted];
  if (expression === '') verdicts.push(false);
  else if (expression !== undefined) {
    const loose = !options.strictNamespaceRegexp;
    verdicts.push(referenceMatches(loose ? `.*(${expression}).*` : expression, arn));
  }
  const list = found[keys.allowedRoles];
  if (list !== undefined) {
    const entries: string[] = readTexts(list);
    const { baseArn: base = '' } = options;
    const matches = entries.map((entry) => {
      const isRegexp = options.allowedRolesFormat === 'regexp';
      const isWhole = entry.startsWith('arn:') || (isRegexp && entry.startsWith('^arn:'));
      if (!isWhole && !arn.startsWith(base)) return false;
      const rest = isWhole ? arn : arn.slice(base.length);
      return isRegexp ? referenceMatches(entry, rest) : referenceGlob(entry, rest);
    });
    verdicts.push(matches.includes(true) ? true : matches.includes(undefined) ? undefined : false);
  }
  return verdicts;
}

function readTexts(list: string): string[] {
  try {
    const parsed: unknown = JSON.parse(list);
    return Array.isArray(parsed) ? parsed.filter((entry) => typeof entry === 'string') : [];
  } catch {
    return [];
  }
}
