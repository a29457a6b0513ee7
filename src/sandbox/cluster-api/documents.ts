import { type Answer, json } from './api-request.ts';
import {
  aggregatedDiscovery,
  coreVersions,
  groupDocument,
  groupList,
  resourceList,
  serverVersion,
} from './discovery.ts';
import type { JsonObject } from './json.ts';
import {
  openApiDocument,
  openApiIndex,
  openApiV2,
  openApiV2Protobuf,
  openApiV2ProtobufType,
} from './openapi.ts';
import type { Tokens } from './tokens.ts';

/**
 * What anyone may read: health, version, and what the issuer of service-account tokens publishes (which in a real
 * cluster is public, too, as soon as STS is to read it).
 */
export async function publicDocument(path: string, tokens: Tokens): Promise<Answer | undefined> {
  switch (path) {
    case '/healthz':
    case '/livez':
    case '/readyz':
      return { kind: 'bytes', body: 'ok', contentType: 'text/plain; charset=utf-8' };
    case '/version':
      return json(serverVersion);
    case '/.well-known/openid-configuration':
      return json({
        issuer: tokens.issuer,
        jwks_uri: `${tokens.issuer}/openid/v1/jwks`,
        response_types_supported: ['id_token'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['RS256'],
      });
    case '/openid/v1/jwks': {
      const body = JSON.stringify(await tokens.jwks());
      return { kind: 'bytes', body, contentType: 'application/jwk-set+json' };
    }
    default:
      return undefined;
  }
}

/** The documents by which clients find their way. */
export function discoveryDocument(path: string, accept: string): Answer | undefined {
  const trimmed = path.replace(/\/$/, '');
  switch (trimmed) {
    case '/api':
      return discoveryRoot('api', accept, coreVersions);
    case '/apis':
      return discoveryRoot('apis', accept, groupList);
    case '/openapi/v2':
      return accept.includes('proto-openapi')
        ? { kind: 'bytes', body: openApiV2Protobuf, contentType: openApiV2ProtobufType }
        : json(openApiV2);
    case '/openapi/v3':
      return json(openApiIndex);
  }
  const document = documentBelow(trimmed);
  return document && json(document);
}

function documentBelow(path: string): JsonObject | undefined {
  const [, root, first = '', second = '', ...more] = path.split('/');
  if (root === 'openapi') return openApiDocument([second, ...more].join('/'));
  if (more.length > 0) return undefined;
  if (root === 'api') return second === '' && first !== '' ? resourceList(first) : undefined;
  if (root !== 'apis' || first === '') return undefined;
  return second === '' ? groupDocument(first) : resourceList(`${first}/${second}`);
}

/** One document for all groups to those who know it, the small one to others. */
function discoveryRoot(root: 'api' | 'apis', accept: string, plain: JsonObject): Answer {
  const aggregated = /g=apidiscovery\.k8s\.io;v=v2;as=APIGroupDiscoveryList/.test(accept);
  if (!aggregated) return json(plain);
  const contentType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
  return { kind: 'json', code: 200, body: aggregatedDiscovery(root), contentType };
}
