import type { Interner } from './interner.ts';
import { isJsonObject, member, textMember } from './json-object.ts';
import type { ClusterObject } from './objects.ts';

/** Makes of an object of the API what podpass keeps of it; `undefined` when it is not one. */
export type Projection<T extends ClusterObject> = (raw: unknown) => T | undefined;

/** The API's own limits: a name is a DNS subdomain; UIDs are 36 characters and resource versions some 20 digits. */
export const maxNameLength = 253;
const maxUidLength = 128;
const maxResourceVersionLength = 128;

/**
 * More than any annotation that podpass reads may have. Kubernetes takes 256 kB, and a tenant's thousand pods of that
 * size would be all the memory that a server has.
 */
export const longestAnnotation = 16_385;

const noAnnotations: Readonly<Record<string, string>> = Object.freeze({});

/** What every object has, or `undefined` when one of them is missing: nothing can be said of such an object. */
export function projectIdentity(raw: unknown, intern: Interner): ClusterObject | undefined {
  const metadata = member(raw, 'metadata');
  const uid = textMember(metadata, 'uid', maxUidLength);
  const name = textMember(metadata, 'name', maxNameLength);
  const resourceVersion = textMember(metadata, 'resourceVersion', maxResourceVersionLength);
  if (!uid || !name || !resourceVersion) return undefined;
  return { uid, namespace: intern(textMember(metadata, 'namespace', maxNameLength)), name, resourceVersion };
}

/**
 * The annotations of `keys` that are there, with their values as they are, up to `longestAnnotation` characters. Pods
 * without any share one empty object.
 */
export function projectAnnotations(
  raw: unknown,
  keys: ReadonlySet<string>,
  intern: Interner,
): Readonly<Record<string, string>> {
  const written = member(member(raw, 'metadata'), 'annotations');
  if (!isJsonObject(written)) return noAnnotations;
  const kept: [string, string][] = [];
  for (const key of keys) {
    const value = member(written, key);
    if (typeof value === 'string') kept.push([key, intern(bounded(value))]);
  }
  return kept.length === 0 ? noAnnotations : Object.fromEntries(kept);
}

/** A copy, where it is cut: a part of a string would hold all of it. */
function bounded(value: string): string {
  if (value.length <= longestAnnotation) return value;
  return Buffer.from(value.slice(0, longestAnnotation), 'utf16le').toString('utf16le');
}

/** The object's name and resource version as far as they can be read, for a log line about one that is of no use. */
export function describeRaw(raw: unknown): string {
  const metadata = member(raw, 'metadata');
  const namespace = textMember(metadata, 'namespace', maxNameLength);
  const name = textMember(metadata, 'name', maxNameLength) || '(no name)';
  return namespace ? `${namespace}/${name}` : name;
}
