import { invalid, ok, type Parsed } from './parsed.ts';
import { quoted } from './quoted.ts';
import { pathProblem, splitRoleArn } from './role-arn.ts';

/**
 * Reads the text that short role names are put behind (`--role-base-arn`, `--base-role-arn`): the ARN of a role
 * without its name, as `arn:aws:iam::123456789012:role/` or with a path, `arn:aws:iam::123456789012:role/team/`.
 *
 * A missing slash at the end is added. kiam glued it on as it was, so that `…:role` gave `…:rolereader`.
 *
 * @returns the base ARN with a slash at its end.
 */
export function parseBaseArn(text: string): Parsed<string> {
  const slashed = text.endsWith('/') ? text : `${text}/`;
  const parts = splitRoleArn(slashed);
  if (parts.kind === 'invalid') {
    return invalid(
      `${quoted(text)} is not a role base ARN: it has to look like arn:aws:iam::123456789012:role/, ` +
        'with or without a path behind it',
    );
  }
  const problem = pathProblem(parts.value.resource);
  return problem === undefined ? ok(slashed) : invalid(problem);
}
