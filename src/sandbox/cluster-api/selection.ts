import { parseFieldSelector } from './field-selector.ts';
import { parseLabelSelector } from './label-selector.ts';
import type { KubeObject } from './objects.ts';
import type { Resource } from './resources.ts';
import { done, type Outcome } from './status.ts';

/** Which objects a list, watch or deletion is about. */
export interface Selection {
  matches(object: KubeObject): boolean;
  /** Whether a label or field selector takes part. */
  readonly selective: boolean;
}

/** Reads `labelSelector` and `fieldSelector`. Without a namespace it is about all of them. */
export function parseSelection(
  resource: Resource,
  namespace: string | undefined,
  query: URLSearchParams,
): Outcome<Selection> {
  const labels = parseLabelSelector(query.get('labelSelector') ?? '');
  if (labels.kind === 'refused') return labels;
  const fields = parseFieldSelector(resource, query.get('fieldSelector') ?? '');
  if (fields.kind === 'refused') return fields;
  return done({
    selective: Boolean(query.get('labelSelector') || query.get('fieldSelector')),
    matches: (object) =>
      (namespace === undefined || object.metadata.namespace === namespace) &&
      labels.value(object.metadata.labels ?? {}) &&
      fields.value(object),
  });
}
