import { formatDuration } from '../../src/base/duration.ts';
import { messageOf } from '../../src/base/errors.ts';
import { partNamed, parts } from './catalogue.ts';
import type { Part, PartSource } from './part.ts';

/** Whatever is stuck, this ends it. */
const overallBound = 45 * 60_000;

interface Made {
  readonly millis: number;
  readonly failure?: string;
}

/** Makes each source once, all at the same time. */
async function makeAll(wanted: readonly Part[], signal: AbortSignal): Promise<Map<PartSource, Made>> {
  const made = new Map<PartSource, Made>();
  const sources = new Set(wanted.map((part) => part.source));
  await Promise.all(
    Array.from(sources, async (source) => {
      if (source.kind === 'system') return;
      const start = performance.now();
      const missing = wanted.some((part) => part.source === source && part.find().kind === 'missing');
      if (missing) process.stderr.write(`getting ${source.name} ...\n`);
      try {
        await source.make(signal);
        made.set(source, { millis: performance.now() - start });
      } catch (error) {
        made.set(source, { millis: performance.now() - start, failure: messageOf(error) });
      }
    }),
  );
  return made;
}

function line(part: Part, made: Made | undefined): { text: string; had: boolean } {
  const found = part.find();
  const label = `${part.name.padEnd(15)} ${part.version.padEnd(40)}`;
  if (found.kind === 'found') {
    const took =
      made && made.millis > 1_000 ? `  (${formatDuration(Math.round(made.millis / 1_000) * 1_000)})` : '';
    return { text: `${label} ${found.path}${took}`, had: true };
  }
  return { text: `${label} missing: ${made?.failure ?? found.reason}`, had: false };
}

async function main(names: readonly string[]): Promise<number> {
  // Without names: what this project can make. The machine's own packages are shown, and not required.
  const wanted = names.length > 0 ? names.map(partNamed) : parts;
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.once(name, () => controller.abort(new Error(`ended by ${name}`)));
  const made = await makeAll(wanted, AbortSignal.any([controller.signal, AbortSignal.timeout(overallBound)]));
  let status = 0;
  for (const part of wanted) {
    const { text, had } = line(part, made.get(part.source));
    process.stdout.write(`${text}\n`);
    if (!had && (part.source.kind === 'made' || names.length > 0)) status = 1;
  }
  return status;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`parts: ${messageOf(error)}\n`);
  process.exitCode = 2;
}
