import type { JsonObject } from './json.ts';
import { groupVersion, isStored, type Resource, resources } from './resources.ts';

/** What this API calls itself. Clients choose their ways by it, so it is a version whose ways it has. */
export const serverVersion: JsonObject = {
  major: '1',
  minor: '33',
  gitVersion: 'v1.33.0+podpass.sandbox',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: '',
  platform: '',
};

/** The group versions that are served, the core first. */
export const groupVersions: readonly string[] = [...new Set(resources.map(groupVersion))];

const groups = [...new Set(resources.map(({ group }) => group))];

function resourcesOf(version: string): readonly Resource[] {
  return resources.filter((resource) => groupVersion(resource) === version);
}

/** `/api`. */
export const coreVersions: JsonObject = {
  kind: 'APIVersions',
  versions: ['v1'],
  serverAddressByClientCIDRs: [],
};

/** `/apis`. */
export const groupList: JsonObject = {
  kind: 'APIGroupList',
  apiVersion: 'v1',
  groups: groups.filter((group) => group !== '').map(groupEntry),
};

/** `/apis/GROUP`. */
export function groupDocument(group: string): JsonObject | undefined {
  if (group === '' || !groups.includes(group)) return undefined;
  return { kind: 'APIGroup', apiVersion: 'v1', ...groupEntry(group) };
}

/** `/api/v1` and `/apis/GROUP/VERSION`. */
export function resourceList(version: string): JsonObject | undefined {
  const served = resourcesOf(version);
  if (served.length === 0) return undefined;
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: version,
    resources: served.flatMap((resource) => [
      {
        name: resource.plural,
        singularName: resource.singular,
        namespaced: resource.namespaced,
        kind: resource.kind,
        verbs: resource.verbs,
        shortNames: resource.shortNames,
        categories: resource.categories,
      },
      ...resource.subresources.map((subresource) => ({
        name: `${resource.plural}/${subresource}`,
        singularName: '',
        namespaced: resource.namespaced,
        ...subresourceKind(resource, subresource),
        verbs: subresource === 'token' ? ['create'] : ['get', 'patch', 'update'],
      })),
    ]),
  };
}

/** All of it in one document, which saves kubectl a request per group: `/api` and `/apis` for those who ask for it. */
export function aggregatedDiscovery(root: 'api' | 'apis'): JsonObject {
  const wanted = groups.filter((group) => (group === '') === (root === 'api'));
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: wanted.map((group) => ({
      metadata: group === '' ? {} : { name: group },
      versions: versionsOf(group).map((version) => ({
        version: version.split('/').at(-1) ?? '',
        resources: resourcesOf(version).map(aggregatedResource),
        freshness: 'Current',
      })),
    })),
  };
}

function aggregatedResource(resource: Resource): JsonObject {
  return {
    resource: resource.plural,
    responseKind: responseKind(resource.group, resource.version, resource.kind),
    scope: resource.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: resource.singular,
    verbs: resource.verbs,
    shortNames: resource.shortNames,
    categories: resource.categories,
    subresources: resource.subresources.map((subresource) => {
      const {
        group = resource.group,
        version = resource.version,
        kind,
      } = subresourceKind(resource, subresource);
      return {
        subresource,
        responseKind: responseKind(group, version, kind),
        verbs: subresource === 'token' ? ['create'] : ['get', 'patch', 'update'],
      };
    }),
  };
}

function responseKind(group: string, version: string, kind: string): JsonObject {
  return { group, version, kind };
}

function subresourceKind(
  { kind }: Resource,
  subresource: string,
): { kind: string; group?: string; version?: string } {
  return subresource === 'token'
    ? { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' }
    : { kind };
}

function versionsOf(group: string): readonly string[] {
  return [...new Set(resources.filter((resource) => resource.group === group).map(groupVersion))];
}

function groupEntry(group: string): JsonObject {
  const versions = versionsOf(group).map((version) => ({
    groupVersion: version,
    version: version.split('/').at(-1) ?? '',
  }));
  return { name: group, versions, preferredVersion: versions[0] };
}

/** Kinds of which objects are kept, for documents about writing them. */
export function writableResources(version: string): readonly Resource[] {
  return resourcesOf(version).filter(isStored);
}
