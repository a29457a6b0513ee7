import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Feedback } from './feedback.ts';
import { feedbackKey } from './feedback.ts';
import { instrument } from './instrument.ts';

/**
 * Instruments each file that this thread loads from now on and `isWanted` names. What has been loaded already stays
 * as it is, so this comes first.
 */
export function installInstrumentation(feedback: Feedback, isWanted: (path: string) => boolean): void {
  Object.assign(globalThis, { [feedbackKey]: feedback });
  process.setSourceMapsEnabled(true);
  registerHooks({
    load(url, context, nextLoad) {
      const path = url.startsWith('file:') ? fileURLToPath(url) : '';
      if (!path.endsWith('.ts') || !isWanted(path)) return nextLoad(url, context);
      const { code, literals } = instrument(path, readFileSync(path, 'utf8'), (points) =>
        feedback.reserve(path, points),
      );
      for (const literal of literals) feedback.literals.add(literal);
      return { format: 'module', source: code, shortCircuit: true };
    },
  });
}
