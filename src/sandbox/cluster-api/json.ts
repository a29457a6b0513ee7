import { isDeepStrictEqual } from 'node:util';

/** Any JSON value. Everything that the cluster API holds is immutable: a change makes a new object. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

export interface JsonObject {
  readonly [field: string]: Json | undefined;
}

/** JSON deeper than this is refused: what walks it recursively would run out of stack. */
const deepest = 100;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isList(value: unknown): value is readonly Json[] {
  return Array.isArray(value);
}

/** The field at the end of `path`, or `undefined` where the way there is not made of objects. */
export function at(value: Json | undefined, ...path: readonly string[]): Json | undefined {
  let current = value;
  for (const field of path) {
    if (!isObject(current) || !Object.hasOwn(current, field)) return undefined;
    current = current[field];
  }
  return current;
}

/** The text of a scalar field; empty where there is none. */
export function textAt(value: Json | undefined, ...path: readonly string[]): string {
  const found = at(value, ...path);
  return typeof found === 'string' || typeof found === 'number' || typeof found === 'boolean'
    ? String(found)
    : '';
}

/** The items of a list field; none where it is not a list. */
export function listAt(value: Json | undefined, ...path: readonly string[]): readonly Json[] {
  const found = at(value, ...path);
  return isList(found) ? found : [];
}

/** The object without these fields. */
export function without(object: JsonObject, ...fields: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([field]) => !fields.includes(field)));
}

/** The object with these fields alone, as far as it has them. */
export function only(object: JsonObject, fields: readonly string[]): JsonObject {
  return Object.fromEntries(
    fields.filter((field) => Object.hasOwn(object, field)).map((field) => [field, object[field]]),
  );
}

export function same(a: Json | undefined, b: Json | undefined): boolean {
  return isDeepStrictEqual(a, b);
}

/** Makes the value immutable all the way down, so that no reader in this process can change what is stored. */
export function deepFreeze<T extends Json | undefined>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}

/**
 * Says why a value that somebody sent must not be worked on: too deep, not JSON (a YAML date, a symbol), or with a
 * key that would change an object's prototype when copied.
 */
export function unsafeJson(value: unknown, depth = 0): string | undefined {
  if (typeof value === 'number' && !Number.isFinite(value)) return `holds ${value}, which is not JSON`;
  if (value === null || ['boolean', 'number', 'string'].includes(typeof value)) return undefined;
  if (typeof value !== 'object' || (!Array.isArray(value) && !isPlain(value))) {
    return `holds a ${typeof value === 'object' ? value?.constructor.name : typeof value}, which is not JSON`;
  }
  if (depth >= deepest) return `is nested more than ${deepest} levels deep`;
  for (const [field, inner] of Object.entries(value)) {
    if (field === '__proto__') return 'has a field named __proto__';
    const problem = unsafeJson(inner, depth + 1);
    if (problem) return problem;
  }
  return undefined;
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
