import type { Json, JsonObject } from './json.ts';
import type { KubeObject } from './objects.ts';

/** What a row of a table carries beside its cells: the parameter `includeObject`. */
export type IncludeObject = 'None' | 'Metadata' | 'Object';

export function parseIncludeObject(text: string): IncludeObject {
  return text === 'None' || text === 'Object' ? text : 'Metadata';
}

/** The metadata of an object, in the envelope that says that there is no more. */
export function partialObjectMetadata({ metadata }: KubeObject): JsonObject {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata };
}

export function includedObject(object: KubeObject, include: IncludeObject): Json {
  if (include === 'None') return null;
  return include === 'Object' ? object : partialObjectMetadata(object);
}
