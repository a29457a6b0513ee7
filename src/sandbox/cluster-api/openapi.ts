import { groupVersions, writableResources } from './discovery.ts';
import type { JsonObject } from './json.ts';
import type { Resource } from './resources.ts';

/**
 * The least OpenAPI that lets `kubectl apply`, `create` and `replace` work without flags: before they write, they
 * look whether the server takes `fieldValidation` and `dryRun` for the kind. There are no schemas: the API has none.
 */
export const openApiIndex: JsonObject = {
  paths: Object.fromEntries(
    groupVersions.map((version) => [
      pathOf(version),
      { serverRelativeURL: `/openapi/v3/${pathOf(version)}?hash=1` },
    ]),
  ),
};

/** The document behind one path of the index: `api/v1`, `apis/apps/v1`. */
export function openApiDocument(path: string): JsonObject | undefined {
  const version = groupVersions.find((one) => pathOf(one) === path);
  if (version === undefined) return undefined;
  const writable = writableResources(version);
  return {
    openapi: '3.0.0',
    info: { title: 'podpass sandbox', version: 'v1.33.0' },
    paths: Object.fromEntries(
      writable.map((resource) => [
        `/${path}${resource.namespaced ? '/namespaces/{namespace}' : ''}/${resource.plural}/{name}`,
        { patch: operation('patch', resource), put: operation('put', resource) },
      ]),
    ),
    components: {
      schemas: Object.fromEntries(
        writable.map((resource) => [
          `podpass.sandbox.${resource.version}.${resource.kind}`,
          { type: 'object', 'x-kubernetes-group-version-kind': [kindOf(resource)] },
        ]),
      ),
    },
  };
}

/** `/openapi/v2`, which nobody needs who can have v3. */
export const openApiV2: JsonObject = {
  swagger: '2.0',
  info: { title: 'podpass sandbox', version: 'v1.33.0' },
  paths: {},
  definitions: {},
};

/** The same as a protobuf message, which is all that kubectl asks for: field 1, `swagger`. */
export const openApiV2Protobuf: Uint8Array = Buffer.from('\n\u00032.0');

export const openApiV2ProtobufType = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';

function operation(action: string, resource: Resource): JsonObject {
  return {
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': kindOf(resource),
    parameters: ['dryRun', 'fieldManager', 'fieldValidation'].map((name) => ({
      name,
      in: 'query',
      schema: { type: 'string', uniqueItems: true },
    })),
    responses: { '200': { description: 'OK' } },
  };
}

function kindOf({ group, version, kind }: Resource): JsonObject {
  return { group, version, kind };
}

function pathOf(version: string): string {
  return version.includes('/') ? `apis/${version}` : `api/${version}`;
}
