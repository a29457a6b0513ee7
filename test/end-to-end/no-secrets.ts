import assert from 'node:assert/strict';
import type { PodpassProcess } from './podpass-process.ts';

/** Every line that the processes wrote is a line of their log, reports no defect, and holds none of these. */
export function assertNoSecrets(
  processes: readonly PodpassProcess[],
  secrets: readonly (string | undefined)[],
): void {
  for (const { log } of processes) {
    assert.ok(log.length > 0);
    for (const line of log) {
      const text = JSON.stringify(line);
      assert.notEqual(line.level, 'crash', text);
      assert.doesNotMatch(text, /ERR_INTERNAL|defect in podpass/);
      for (const secret of secrets) {
        assert.ok(secret, 'a secret to look for');
        assert.ok(!text.includes(secret), text);
      }
    }
  }
}
