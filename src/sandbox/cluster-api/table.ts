import { columnsOf } from './columns.ts';
import { type IncludeObject, includedObject } from './included-object.ts';
import type { JsonObject } from './json.ts';
import type { KubeObject } from './objects.ts';
import type { Resource } from './resources.ts';

export interface TableOptions {
  readonly resource: Resource;
  readonly includeObject: IncludeObject;
  /** Wall-clock milliseconds, for ages. */
  readonly now: number;
  /** Leaves the column definitions out: a watch sends them once. */
  readonly withoutHeaders?: boolean;
}

/** Objects as a `meta.k8s.io/v1 Table`, which kubectl prints as it comes. */
export function tableOf(
  objects: readonly KubeObject[],
  metadata: JsonObject,
  { resource, includeObject, now, withoutHeaders = false }: TableOptions,
): JsonObject {
  const columns = columnsOf(resource);
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: withoutHeaders
      ? []
      : columns.map(({ name, type, priority }) => ({
          name,
          type,
          format: name === 'Name' ? 'name' : '',
          description: name,
          priority,
        })),
    rows: objects.map((object) => ({
      cells: columns.map((column) => column.cell(object, now)),
      object: includedObject(object, includeObject),
    })),
  };
}
