import type { StsHttpRequest } from './sts-http.ts';
import { failed, type StsFailure } from './sts-outcome.ts';

/** A call in AWS's Query protocol. */
export interface StsCall {
  readonly action: string;
  readonly parameters: ReadonlyMap<string, string>;
  /** The decoded query string alone, which is part of what a client signs. */
  readonly query: Readonly<Record<string, string | string[]>>;
}

/** The one version STS has ever had. */
const stsVersion = '2011-06-15';

/** Reads a call from the body of a form POST, or from the query string of a GET. */
export function parseQueryRequest(request: StsHttpRequest): { kind: 'call'; call: StsCall } | StsFailure {
  const [path, search = ''] = splitOnce(request.target, '?');
  if (path !== '/' || (request.method !== 'GET' && request.method !== 'POST')) {
    return failed(404, 'UnknownOperationException', 'send GET or POST to /');
  }
  const query: Record<string, string | string[]> = Object.create(null);
  const parameters = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(search)) {
    const before = query[name];
    query[name] = before === undefined ? value : [before, value].flat();
    parameters.set(name, value);
  }
  if (request.method === 'POST') {
    for (const [name, value] of new URLSearchParams(Buffer.from(request.body).toString('utf8'))) {
      parameters.set(name, value);
    }
  }
  const action = parameters.get('Action');
  const version = parameters.get('Version') ?? stsVersion;
  if (!action) return failed(400, 'MissingAction', 'Could not find the parameter Action in the request');
  if (version !== stsVersion) {
    const message = `The requested version (${version}) of service AWSSecurityTokenService does not exist`;
    return failed(400, 'NoSuchVersion', message);
  }
  return { kind: 'call', call: { action, parameters, query } };
}

function splitOnce(text: string, separator: string): readonly [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
