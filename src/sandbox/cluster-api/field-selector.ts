import { type JsonObject, textAt } from './json.ts';
import type { Resource } from './resources.ts';
import { badRequest, done, type Outcome } from './status.ts';

export type FieldMatch = (object: JsonObject) => boolean;

/**
 * Reads a `fieldSelector`: `spec.nodeName=node-1,status.phase!=Succeeded`. Which fields there are is the resource's
 * to say, as in Kubernetes; `\,`, `\=` and `\\` stand for the characters themselves.
 */
export function parseFieldSelector(resource: Resource, text: string): Outcome<FieldMatch> {
  const matches: FieldMatch[] = [];
  for (const term of splitTerms(text)) {
    const [, name = '', operator, escaped = ''] =
      /^([\w.]+)(!=|==|=)((?:[^\\=]|\\[\\,=])*)$/s.exec(term) ?? [];
    if (!operator) return badRequest(`invalid field selector: ${JSON.stringify(term.slice(0, 200))}`);
    const field = selectable(resource, name);
    if (!field) return badRequest(`field label not supported: ${name}`);
    const wanted = escaped.replace(/\\(.)/g, '$1');
    matches.push((object) => {
      const actual = textAt(object, ...field.path) || (field.absent ?? '');
      return (actual === wanted) === (operator !== '!=');
    });
  }
  return done((object) => matches.every((match) => match(object)));
}

function splitTerms(text: string): readonly string[] {
  return [...text.matchAll(/(?:[^\\,]|\\.)+/gs)].map(([term]) => term);
}

function selectable(resource: Resource, name: string) {
  if (name === 'metadata.name') return { path: ['metadata', 'name'] };
  if (name === 'metadata.namespace' && resource.namespaced) return { path: ['metadata', 'namespace'] };
  return Object.hasOwn(resource.fields, name) ? resource.fields[name] : undefined;
}
