import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { projectRoot } from '../parts/locations.ts';

interface Workload {
  readonly spec?: {
    readonly template?: {
      readonly spec: { readonly containers: readonly { readonly resources?: Resources }[] };
    };
  };
}
interface Resources {
  readonly limits?: { readonly memory?: string };
}

/** The limit of memory in a manifest of deploy/manifests, in bytes. @throws Error where there is none in MiB. */
export function memoryLimitOf(manifest: string): number {
  const text = readFileSync(join(projectRoot, 'deploy', 'manifests', manifest), 'utf8');
  const workloads = parseAllDocuments(text).map((document) => document.toJS() as Workload);
  const [container] = workloads.flatMap(({ spec }) => spec?.template?.spec.containers ?? []);
  const memory = container?.resources?.limits?.memory ?? '';
  const [, mebibytes] = /^(\d+)Mi$/.exec(memory) ?? [];
  if (mebibytes === undefined) throw new Error(`${manifest} has no limit of memory in Mi, but "${memory}"`);
  return Number(mebibytes) * 2 ** 20;
}
