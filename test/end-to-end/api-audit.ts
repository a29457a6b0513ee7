import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';

/** What one user did at an API server, by the server's own record. */
export interface ApiAudit {
  /** For kube-apiserver. */
  readonly flags: readonly string[];
  /** Each `verb resource` that was asked for, such as `watch pods`, with the worst status it was answered. */
  requests(): ReadonlyMap<string, number>;
}

interface AuditEvent {
  readonly verb: string;
  readonly stage: string;
  readonly objectRef?: { readonly resource?: string; readonly subresource?: string };
  readonly responseStatus?: { readonly code?: number };
}

/** @param folder where policy and log are written */
export function createApiAudit(folder: string, user: string): ApiAudit {
  const policy = join(folder, 'audit-policy.json');
  const log = join(folder, 'audit.log');
  const rules = [{ level: 'Metadata', users: [user] }, { level: 'None' }];
  writeFileSync(policy, JSON.stringify({ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules }));
  return {
    flags: [`--audit-policy-file=${policy}`, `--audit-log-path=${log}`],
    requests() {
      const found = new Map<string, number>();
      for (const line of readFileSync(log, 'utf8').split('\n')) {
        if (line === '') continue;
        const { verb, objectRef, responseStatus } = JSON.parse(line) as AuditEvent;
        const { resource = '', subresource } = objectRef ?? {};
        const key = `${verb} ${subresource === undefined ? resource : `${resource}/${subresource}`}`;
        found.set(key, Math.max(found.get(key) ?? 0, responseStatus?.code ?? 0));
      }
      return found;
    },
  };
}

interface ClusterRole {
  readonly kind?: string;
  readonly rules?: readonly { readonly resources: readonly string[]; readonly verbs: readonly string[] }[];
}

/** Each `verb resource` that the ClusterRoles of a manifest allow. */
export function allowedBy(manifest: string): readonly string[] {
  return parseAllDocuments(manifest)
    .map((document): ClusterRole => document.toJS())
    .filter(({ kind }) => kind === 'ClusterRole')
    .flatMap(({ rules = [] }) => rules)
    .flatMap(({ resources, verbs }) =>
      resources.flatMap((resource) => verbs.map((verb) => `${verb} ${resource}`)),
    );
}
