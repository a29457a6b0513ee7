import { invalid, ok, type Parsed } from './parsed.ts';
import { quoted } from './quoted.ts';
import { formatRoleArn, parseRoleArn } from './role-arn.ts';

/**
 * The full ARN that a role annotation means. Meaning as in kiam: a text that starts with `arn:` is the ARN; anything
 * else is a name, or a path and a name, behind the base ARN, less one leading slash.
 *
 * | annotation | with base `arn:aws:iam::123456789012:role/` |
 * |---|---|
 * | `reader`, `/reader` | `arn:aws:iam::123456789012:role/reader` |
 * | `team/reader`, `/team/reader` | `arn:aws:iam::123456789012:role/team/reader` |
 * | `arn:aws:iam::999999999999:role/reader` | itself |
 *
 * kiam handed the result to STS unseen. Here what cannot be a role ARN is refused with the reason, and white space
 * is not trimmed away: a role that works in one spelling should not be written in another.
 *
 * @param baseArn as `parseBaseArn` returns it.
 */
export function resolveRoleArn(annotation: string, baseArn: string | undefined): Parsed<string> {
  if (/\s/.test(annotation)) return invalid(`${quoted(annotation)} contains white space, which no role has`);
  if (annotation.startsWith('arn:')) return resolved(annotation);
  if (/^arn:/i.test(annotation)) {
    return invalid(`${quoted(annotation)} has to start with "arn:" in lower case to be taken for an ARN`);
  }
  const name = annotation.startsWith('/') ? annotation.slice(1) : annotation;
  if (name === '') return invalid(`${quoted(annotation)} has no role name`);
  if (baseArn === undefined) {
    return invalid(
      `${quoted(annotation)} is a short role name, and no role base ARN is configured to complete it: ` +
        'set --role-base-arn, or write the full ARN',
    );
  }
  return resolved(baseArn + name);
}

function resolved(text: string): Parsed<string> {
  const parsed = parseRoleArn(text);
  return parsed.kind === 'ok' ? ok(formatRoleArn(parsed.value)) : parsed;
}
