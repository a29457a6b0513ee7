/** A leaf is what is answered; a branch lists its names. A leaf is a function because some change with time. */
export type MetadataNode = { readonly [name: string]: MetadataNode } | (() => string);

/** What a path leads to. */
export type MetadataLookup =
  | { readonly kind: 'found'; readonly body: string }
  /** There is no such path. */
  | { readonly kind: 'missing' };

/**
 * Looks a path up as EC2 does: a branch answers the names under it, one on each line, those of branches with a slash;
 * a slash at the end or twice in a row makes no difference; the last line ends without a newline.
 */
export function lookUpMetadata(tree: MetadataNode, segments: readonly string[]): MetadataLookup {
  let node: MetadataNode = tree;
  for (const segment of segments.filter((text) => text !== '')) {
    if (typeof node === 'function' || !Object.hasOwn(node, segment)) return { kind: 'missing' };
    const next: MetadataNode | undefined = node[segment];
    if (next === undefined) return { kind: 'missing' };
    node = next;
  }
  return { kind: 'found', body: typeof node === 'function' ? node() : listNames(node) };
}

function listNames(branch: Readonly<Record<string, MetadataNode>>): string {
  return Object.entries(branch)
    .map(([name, child]) => (typeof child === 'function' ? name : `${name}/`))
    .join('\n');
}
