import type { Json, JsonObject } from './json.ts';
import { type Resource, resourceKey } from './resources.ts';

/**
 * A `meta.k8s.io/v1 Status`: how a Kubernetes API server says no. Reasons, codes and the wording of messages are
 * those of a real one, because clients decide by the first two and people search for the third.
 */
export interface Status extends JsonObject {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: JsonObject;
  readonly code: number;
}

export interface Refused {
  readonly kind: 'refused';
  readonly status: Status;
}

/** What came of a request: a value, or the Status that refuses it. */
export type Outcome<T> = { readonly kind: 'done'; readonly value: T } | Refused;

export function done<T>(value: T): Outcome<T> {
  return { kind: 'done', value };
}

export function refused(code: number, reason: string, message: string, details?: JsonObject): Refused {
  const status: Status = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    ...(details && { details }),
    code,
  };
  return { kind: 'refused', status };
}

function detailsOf(resource: Resource, name: string): JsonObject {
  return { name, ...(resource.group && { group: resource.group }), kind: resource.plural };
}

export function notFound(resource: Resource, name: string): Refused {
  const message = `${resourceKey(resource)} "${name}" not found`;
  return refused(404, 'NotFound', message, detailsOf(resource, name));
}

/** No such path. */
export function noSuchPath(): Refused {
  return refused(404, 'NotFound', 'the server could not find the requested resource');
}

export function alreadyExists(resource: Resource, name: string): Refused {
  const message = `${resourceKey(resource)} "${name}" already exists`;
  return refused(409, 'AlreadyExists', message, detailsOf(resource, name));
}

export function conflict(resource: Resource, name: string, why?: string): Refused {
  const cause =
    why ?? 'the object has been modified; please apply your changes to the latest version and try again';
  const message = `Operation cannot be fulfilled on ${resourceKey(resource)} "${name}": ${cause}`;
  return refused(409, 'Conflict', message, detailsOf(resource, name));
}

/** One field of an object, or one parameter, that breaks a rule. */
export function invalid(kind: string, name: string, field: string, problem: string): Refused {
  const causes: Json = [{ reason: 'FieldValueInvalid', message: problem, field }];
  const message = `${kind} "${name}" is invalid: ${field}: ${problem}`;
  return refused(422, 'Invalid', message, { name, kind, causes });
}

export function badRequest(message: string): Refused {
  return refused(400, 'BadRequest', message);
}

export function forbidden(resource: Resource, name: string, why: string): Refused {
  const subject = name ? `${resourceKey(resource)} "${name}"` : resourceKey(resource);
  return refused(403, 'Forbidden', `${subject} is forbidden: ${why}`, detailsOf(resource, name));
}

export function unauthorized(): Refused {
  return refused(401, 'Unauthorized', 'Unauthorized');
}

export function methodNotAllowed(): Refused {
  return refused(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource');
}

/** What the client knows is older than the history that is kept. */
export function expired(message: string): Refused {
  return refused(410, 'Expired', message);
}

/** The client has seen a resource version that this server has not: it talked to another one before. */
export function tooLargeResourceVersion(asked: number, current: number): Refused {
  const message = `Timeout: Too large resource version: ${asked}, current: ${current}`;
  const causes: Json = [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }];
  return refused(504, 'Timeout', message, { causes, retryAfterSeconds: 1 });
}
