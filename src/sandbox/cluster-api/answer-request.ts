import type { Clock } from '../../base/clock.ts';
import { type Answer, type ApiRequest, json } from './api-request.ts';
import type { Authentication } from './authentication.ts';
import { type Authorize, authorizedResource, denied } from './authorization.ts';
import { discoveryDocument, publicDocument } from './documents.ts';
import { parseIncludeObject } from './included-object.ts';
import { listPage } from './list.ts';
import type { ObjectStore } from './object-store.ts';
import type { KubeObject } from './objects.ts';
import { negotiate, type ShowOptions, showList, showObject } from './representation.ts';
import { isStored, type Resource } from './resources.ts';
import type { Reviews } from './reviews.ts';
import { parseRoute, type Route } from './route.ts';
import { done, methodNotAllowed, noSuchPath, notFound, type Outcome } from './status.ts';
import type { Tokens } from './tokens.ts';
import type { User } from './users.ts';
import { type Verb, verbOf } from './verb.ts';
import { parseWatchRequest } from './watch-request.ts';
import { createObject, deleteObject, deleteObjects, patchObject, replaceObject } from './write-objects.ts';

export interface AnswerOptions {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly authentication: Authentication;
  readonly authorize: Authorize;
  readonly tokens: Tokens;
  readonly reviews: Reviews;
}

/** The whole API without its HTTP: who asks, may they, what do they get. A watch is answered with what it is about. */
export async function answerRequest(options: AnswerOptions, request: ApiRequest): Promise<Outcome<Answer>> {
  const { method, path, query, accept } = request;
  if (method === 'GET') {
    const open = await publicDocument(path, options.tokens);
    if (open) return done(open);
  }
  const user = await options.authentication.authenticate(request.authorization);
  if (user.kind === 'refused') return user;
  if (method === 'GET') {
    const document = discoveryDocument(path, accept);
    if (document) return done(document);
  }
  const route = parseRoute(path);
  if (!route) return noSuchPath();
  const verb = verbOf(method, route, query);
  if (!verb) return methodNotAllowed();
  if (!options.authorize(user.value, verb, authorizedResource(route), route.namespace ?? '')) {
    return denied(user.value, verb, route);
  }
  return isStored(route.resource) && route.subresource !== 'token'
    ? answerStored(options, request, route, verb)
    : answerReview(options, request, route, user.value);
}

async function answerReview(
  { reviews }: AnswerOptions,
  request: ApiRequest,
  { resource, namespace = '', name = '' }: Route,
  user: User,
): Promise<Outcome<Answer>> {
  const body = await request.readBody();
  if (body.kind === 'refused') return body;
  const answer = isStored(resource)
    ? await reviews.requestToken(namespace, name, body.value)
    : await reviews.answer(resource, body.value, user);
  return answer.kind === 'refused' ? answer : done(json(answer.value, 201));
}

async function answerStored(
  { store, clock }: AnswerOptions,
  request: ApiRequest,
  route: Route,
  verb: Verb,
): Promise<Outcome<Answer>> {
  const { resource, namespace, name = '' } = route;
  const show = showOptions(request, resource, clock.now());
  if (show.kind === 'refused') return show;
  const whole = (object: KubeObject, code = 200) => done(json(showObject(object, show.value), code));
  switch (verb) {
    case 'get': {
      const object = store.get(resource, namespace ?? '', name);
      return object ? whole(object) : notFound(resource, name);
    }
    case 'list': {
      const page = listPage(store, resource, namespace, request.query);
      if (page.kind === 'refused') return page;
      return done(json(showList(page.value.items, page.value.metadata, show.value)));
    }
    case 'watch': {
      const watch = parseWatchRequest(resource, namespace, request.query);
      return watch.kind === 'refused'
        ? watch
        : done({ kind: 'watch', request: watch.value, show: show.value });
    }
    case 'create':
    case 'update':
    case 'patch': {
      const write = { create: createObject, update: replaceObject, patch: patchObject }[verb];
      const written = await write(store, route, request);
      if (written.kind === 'refused') return written;
      return whole(written.value.object, written.value.created ? 201 : 200);
    }
    case 'delete': {
      const deleted = await deleteObject(store, route, request);
      return deleted.kind === 'refused' ? deleted : done(json(deleted.value));
    }
    case 'deletecollection': {
      const deleted = await deleteObjects(store, route, request);
      if (deleted.kind === 'refused') return deleted;
      const metadata = { resourceVersion: String(store.resourceVersion) };
      return done(json(showList(deleted.value, metadata, show.value)));
    }
  }
}

/** How this request wants to see objects. */
function showOptions(request: ApiRequest, resource: Resource, now: number): Outcome<ShowOptions> {
  const representation = negotiate(request.accept);
  if (representation.kind === 'refused') return representation;
  const includeObject = parseIncludeObject(request.query.get('includeObject') ?? '');
  return done({ resource, representation: representation.value, includeObject, now });
}
