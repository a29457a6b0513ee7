import { type IncludeObject, partialObjectMetadata } from './included-object.ts';
import type { JsonObject } from './json.ts';
import type { KubeObject } from './objects.ts';
import { groupVersion, type Resource } from './resources.ts';
import { done, type Outcome, refused } from './status.ts';
import { tableOf } from './table.ts';

/** How a client wants objects shown: whole, as rows for a terminal, or their metadata alone. */
export type Representation = 'whole' | 'table' | 'metadata';

/**
 * Reads an `Accept` header as an API server does: the first media type that can be served. JSON only; kubectl asks
 * for `application/json;as=Table;v=v1;g=meta.k8s.io` first.
 */
export function negotiate(accept: string): Outcome<Representation> {
  for (const range of accept === '' ? ['*/*'] : accept.split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    if (!['application/json', 'application/*', '*/*'].includes(type)) continue;
    const wanted = parameters.find((parameter) => parameter.startsWith('as='))?.slice(3) ?? '';
    if (wanted === '') return done('whole');
    const isMeta = parameters.includes('g=meta.k8s.io') && parameters.includes('v=v1');
    if (isMeta && wanted === 'table') return done('table');
    if (isMeta && wanted.startsWith('partialobjectmetadata')) return done('metadata');
  }
  const message = 'only the following media types are accepted: application/json';
  return refused(406, 'NotAcceptable', message);
}

export interface ShowOptions {
  readonly resource: Resource;
  readonly representation: Representation;
  readonly includeObject: IncludeObject;
  /** Wall-clock milliseconds, for ages. */
  readonly now: number;
  /** Leaves a table's column definitions out: a watch sends them once. */
  readonly withoutHeaders?: boolean;
}

/** One object as the client wants it. */
export function showObject(object: KubeObject, options: ShowOptions): JsonObject {
  switch (options.representation) {
    case 'whole':
      return object;
    case 'metadata':
      return partialObjectMetadata(object);
    case 'table':
      return tableOf([object], { resourceVersion: object.metadata.resourceVersion }, options);
  }
}

/** A list as the client wants it. `metadata` is that of the list: its resource version, how to go on. */
export function showList(
  items: readonly KubeObject[],
  metadata: JsonObject,
  options: ShowOptions,
): JsonObject {
  const { resource, representation } = options;
  switch (representation) {
    case 'whole':
      return { kind: resource.listKind, apiVersion: groupVersion(resource), metadata, items };
    case 'metadata':
      return {
        kind: 'PartialObjectMetadataList',
        apiVersion: 'meta.k8s.io/v1',
        metadata,
        items: items.map(partialObjectMetadata),
      };
    case 'table':
      return tableOf(items, metadata, options);
  }
}
