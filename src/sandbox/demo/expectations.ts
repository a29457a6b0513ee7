import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { messageOf, PodpassError } from '../../base/errors.ts';

/** What a pod of the examples must see. */
export type Expectation = { readonly pod: string } & (
  | { readonly kind: 'role'; readonly arn: RegExp }
  | { readonly kind: 'refusal'; readonly status: number; readonly texts: readonly string[] }
);

/**
 * Reads `expected.yaml`, which lies beside the manifests.
 *
 * @throws PodpassError ERR_SANDBOX naming the file and the entry.
 */
export async function readExpectations(path: string): Promise<readonly Expectation[]> {
  try {
    const file: unknown = parse(await readFile(path, 'utf8'));
    const entries = file instanceof Object && 'pods' in file ? file.pods : undefined;
    if (!Array.isArray(entries) || entries.length === 0) throw new Error('it has no list "pods"');
    return entries.map(readExpectation);
  } catch (cause) {
    const text = `cannot use ${path}: ${messageOf(cause)}. The demo needs it to know what each pod must see.`;
    throw new PodpassError('ERR_SANDBOX', text, { cause });
  }
}

function readExpectation(entry: unknown): Expectation {
  const { pod, arn, status, text = [] } = (entry ?? {}) as Record<string, unknown>;
  if (typeof pod !== 'string' || !/^[^/]+\/[^/]+$/.test(pod))
    throw new Error('an entry has no "pod: NAMESPACE/NAME"');
  if (typeof arn === 'string') return { pod, kind: 'role', arn: new RegExp(`^(?:${arn})$`) };
  if (typeof status === 'number' && Array.isArray(text))
    return { pod, kind: 'refusal', status, texts: text.map(String) };
  throw new Error(`${pod} has neither "arn" nor "status"`);
}
