/** A glob, ready to be matched. */
export type RoleGlob = (text: string) => boolean;

/**
 * Compiles kube2iam's globs: `*` is any run of characters, also none and also with slashes in it; every other
 * character is itself, case and all; the whole text has to match.
 *
 * Tenants write these, so nothing is ever tried twice: the part before the first `*` and the part behind the last are
 * compared in place, and each part between is looked for once, behind the one before. The leftmost place is always
 * as good as any other.
 */
export function compileRoleGlob(glob: string): RoleGlob {
  const [start = '', ...parts] = glob.split('*');
  const end = parts.pop();
  if (end === undefined) return (text) => text === start;
  const between = parts.filter((part) => part !== '');
  return (text) => {
    if (text.length < start.length + end.length || !text.startsWith(start) || !text.endsWith(end))
      return false;
    const limit = text.length - end.length;
    let at = start.length;
    for (const part of between) {
      const found = text.indexOf(part, at);
      if (found === -1) return false;
      at = found + part.length;
    }
    return at <= limit;
  };
}
