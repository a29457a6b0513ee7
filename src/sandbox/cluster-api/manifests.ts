import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { messageOf, PodpassError } from '../../base/errors.ts';
import { isObject, type Json, type JsonObject, listAt, textAt, unsafeJson, without } from './json.ts';
import type { ObjectStore } from './object-store.ts';
import type { KubeObject } from './objects.ts';
import { findResourceOfKind, isStored, type Resource, resourceKey } from './resources.ts';
import type { Outcome } from './status.ts';
import { strategicMergePatch } from './strategic-merge-patch.ts';

/** An object as a file has it, with where that was: `pods.yaml, document 2`. */
export interface Manifest {
  readonly resource: Resource;
  readonly object: JsonObject;
  readonly source: string;
}

export interface LoadManifestsOptions {
  /** Names of files in the folder that are about something else: `roles.yaml`. */
  readonly except?: readonly string[];
}

const manifestFile = /\.(ya?ml|json)$/;
const mostFiles = 1_000;
const mostFileBytes = 4 * 1024 * 1024;
const mostObjects = 20_000;
const mostAliases = 100;

/** What others refer to comes first; the rest keeps the order of files and documents. */
const creationOrder = ['namespaces', 'nodes', 'serviceaccounts'];

/**
 * Creates the objects of all manifests in a folder, namespaces first. An object that exists already (a namespace's
 * `default` service account) is changed to match. Files are taken by name; those of folders inside are not.
 *
 * @returns the objects as they are then
 * @throws PodpassError ERR_SANDBOX naming file, document and problem
 */
export async function loadManifests(
  store: ObjectStore,
  folder: string,
  options: LoadManifestsOptions = {},
): Promise<readonly KubeObject[]> {
  const manifests = await readManifests(folder, options);
  return manifests.map((manifest) => apply(store, manifest));
}

/**
 * Reads the manifests of a folder in the order in which they can be created.
 *
 * @throws PodpassError ERR_SANDBOX
 */
export async function readManifests(
  folder: string,
  { except = [] }: LoadManifestsOptions = {},
): Promise<readonly Manifest[]> {
  let entries: readonly string[];
  try {
    entries = await readdir(folder);
  } catch (cause) {
    const text = `the folder of manifests ${folder} cannot be read: ${messageOf(cause)}. Name one that exists.`;
    throw new PodpassError('ERR_SANDBOX', text, { cause });
  }
  const files = entries.filter((name) => manifestFile.test(name) && !except.includes(name)).sort();
  if (files.length > mostFiles) {
    throw new PodpassError(
      'ERR_SANDBOX',
      `${folder} holds ${files.length} manifests; the sandbox takes ${mostFiles}.`,
    );
  }
  const manifests: Manifest[] = [];
  for (const name of files) {
    manifests.push(...parseManifests(await readManifestFile(join(folder, name)), join(folder, name)));
    if (manifests.length > mostObjects) {
      throw new PodpassError(
        'ERR_SANDBOX',
        `${folder} holds more than the ${mostObjects} objects a sandbox takes.`,
      );
    }
  }
  const rank = ({ resource }: Manifest) => {
    const index = creationOrder.indexOf(resourceKey(resource));
    return index < 0 ? creationOrder.length : index;
  };
  return manifests.sort((a, b) => rank(a) - rank(b));
}

/**
 * The objects in the text of one file: YAML documents or JSON, single or in a `List`.
 *
 * @param file what messages call it
 * @throws PodpassError ERR_SANDBOX
 */
export function parseManifests(text: string, file: string): readonly Manifest[] {
  return parseAllDocuments(text).flatMap((document, index) => {
    const source = `${file}, document ${index + 1}`;
    const [problem] = document.errors;
    if (problem) return fail(source, `it is not YAML: ${problem.message.split('\n')[0]}`);
    return objectsOf(
      toJson(() => document.toJS({ maxAliasCount: mostAliases }), source),
      source,
    );
  });
}

function toJson(read: () => unknown, source: string): Json {
  let value: unknown;
  try {
    value = read();
  } catch (cause) {
    return fail(source, messageOf(cause));
  }
  const problem = unsafeJson(value);
  // What is not unsafe is JSON.
  return problem ? fail(source, `it ${problem}`) : (value as Json);
}

function objectsOf(value: Json, source: string): readonly Manifest[] {
  // What is left between two separators, or after the last.
  if (value === null) return [];
  if (!isObject(value)) return fail(source, 'it is not an object of Kubernetes');
  const [apiVersion, kind] = [textAt(value, 'apiVersion'), textAt(value, 'kind')];
  if (!apiVersion || !kind) return fail(source, 'it has no apiVersion and kind');
  if (kind.endsWith('List') && Array.isArray(value.items)) {
    const itemDefaults = kind === 'List' ? {} : { apiVersion, kind: kind.slice(0, -4) };
    return listAt(value, 'items').flatMap((item, index) => {
      const whole = isObject(item) ? { ...itemDefaults, ...item } : item;
      return objectsOf(whole, `${source}, item ${index + 1}`);
    });
  }
  const resource = findResourceOfKind(apiVersion, kind);
  if (!resource || !isStored(resource)) {
    return fail(source, `the sandbox keeps no objects of kind ${kind} in ${apiVersion}. Take it out`);
  }
  return [{ resource, object: value, source }];
}

async function readManifestFile(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size <= mostFileBytes) return await readFile(path, 'utf8');
  } catch (cause) {
    throw new PodpassError('ERR_SANDBOX', `the manifest ${path} cannot be read: ${messageOf(cause)}.`, {
      cause,
    });
  }
  throw new PodpassError(
    'ERR_SANDBOX',
    `the manifest ${path} is larger than ${mostFileBytes} bytes. Split it.`,
  );
}

function apply(store: ObjectStore, { resource, object, source }: Manifest): KubeObject {
  const metadata = isObject(object.metadata) ? object.metadata : {};
  const namespace = resource.namespaced ? textAt(metadata, 'namespace') || 'default' : '';
  // A manifest that was taken from a cluster says which version it was; here that means nothing.
  const draft = {
    ...object,
    metadata: { ...without(metadata, 'resourceVersion', 'uid'), ...(namespace && { namespace }) },
  };
  const stored = store.get(resource, namespace, textAt(metadata, 'name'));
  if (!stored) return accepted(store.create(resource, draft), resource, draft, source);
  const merged = strategicMergePatch(stored, draft);
  const updated = accepted(store.update(resource, merged), resource, draft, source);
  if (object.status === undefined || !resource.subresources.includes('status')) return updated;
  const withStatus = { ...updated, status: object.status };
  return accepted(store.update(resource, withStatus, { part: 'status' }), resource, draft, source);
}

function accepted(
  outcome: Outcome<KubeObject>,
  resource: Resource,
  draft: JsonObject,
  source: string,
): KubeObject {
  if (outcome.kind === 'done') return outcome.value;
  const what = `${resource.kind} ${textAt(draft, 'metadata', 'namespace')}/${textAt(draft, 'metadata', 'name')}`;
  return fail(source, `${what}: ${outcome.status.message ?? 'refused'}`);
}

function fail(source: string, problem: string): never {
  throw new PodpassError('ERR_SANDBOX', `${source}: ${problem}.`);
}
