import type { BoundRole } from '../roles/decision.ts';

/**
 * Whether the role that a path names is the pod's. Clients put into the path what the list gave them, and the join
 * of tree and name doubles or eats slashes (kiam answered 500 to `role/`). So slashes at the ends do not count, and
 * these name one role: the name as annotated, the full ARN, and what stands behind `:role/` where the annotation is
 * the ARN (kiam compares those). The bare last part of a path is not enough: `reader` is another role than
 * `/team/reader`.
 */
export function isRequestedRole(requested: string, role: BoundRole): boolean {
  if (requested === role.name) return true;
  const name = trimSlashes(requested);
  if (name === '') return false;
  return (
    name === role.arn ||
    name === trimSlashes(role.name) ||
    (role.name === role.arn && name === shortName(role.arn))
  );
}

function shortName(arn: string): string {
  return arn.slice(arn.indexOf(':role/') + ':role/'.length);
}

function trimSlashes(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && text[start] === '/') start += 1;
  while (end > start && text[end - 1] === '/') end -= 1;
  return text.slice(start, end);
}
