import { isList, isObject, type Json, type JsonObject } from './json.ts';
import { groupVersion, type Resource } from './resources.ts';
import { badRequest, done, type Outcome } from './status.ts';

/** The metadata of a stored object. */
export interface ObjectMeta extends JsonObject {
  readonly name: string;
  /** Absent for objects that have no namespace. */
  readonly namespace?: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** RFC 3339, whole seconds, UTC. */
  readonly creationTimestamp: string;
  /** Grows with each change outside of metadata and status; only for objects that have a `spec`. */
  readonly generation?: number;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
}

/** A stored object: deeply frozen, replaced as a whole at each change. */
export interface KubeObject extends JsonObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

/** What a client sends: an object whose metadata are well formed and may lack what the server adds. */
export interface Draft extends JsonObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: JsonObject & {
    readonly name?: string;
    readonly generateName?: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly finalizers?: readonly string[];
  };
}

const metadataTexts = ['name', 'generateName', 'namespace', 'uid', 'resourceVersion'];
const metadataMaps = ['labels', 'annotations'];

/** Takes a value as an object of this resource; `apiVersion` and `kind` may be left out. Null fields count as absent. */
export function parseDraft(resource: Resource, value: Json): Outcome<Draft> {
  const { kind } = resource;
  if (!isObject(value)) return badRequest(`the body is not a ${kind}: it is not an object`);
  const apiVersion = groupVersion(resource);
  if ((value.apiVersion ?? apiVersion) !== apiVersion) {
    return badRequest(
      `the API version in the data (${String(value.apiVersion)}) does not match the expected API version (${apiVersion})`,
    );
  }
  if ((value.kind ?? kind) !== kind) {
    return badRequest(`${kind} in version "${apiVersion}" cannot be handled as a ${String(value.kind)}`);
  }
  const given = value.metadata ?? {};
  if (!isObject(given)) return badRequest('metadata: it is not an object');
  const metadata: JsonObject = Object.fromEntries(
    Object.entries(given).filter(([, field]) => field !== null),
  );
  const wrong =
    metadataTexts.find((field) => (metadata[field] ?? '') !== String(metadata[field] ?? '')) ??
    metadataMaps.find((field) => metadata[field] !== undefined && !isStringMap(metadata[field])) ??
    (isTexts(metadata.finalizers ?? []) ? undefined : 'finalizers');
  if (wrong) {
    return badRequest(
      `${kind} in version "${apiVersion}" cannot be handled: metadata.${wrong} has the wrong type`,
    );
  }
  return done({ ...value, apiVersion, kind, metadata });
}

function isStringMap(value: Json | undefined): boolean {
  return isObject(value) && Object.values(value).every((text) => typeof text === 'string');
}

function isTexts(value: Json): boolean {
  return isList(value) && value.every((text) => typeof text === 'string');
}

/** RFC 3339 in whole seconds, as Kubernetes writes times. */
export function timestamp(millis: number): string {
  return new Date(millis).toISOString().replace(/\.\d+Z$/, 'Z');
}
