// npm run generate: writes src/wire/gen from proto/ again.

import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');

// A message that is gone must not stay behind.
rmSync(join(root, 'src', 'wire', 'gen'), { recursive: true, force: true });
const { status, error } = spawnSync(join(root, 'node_modules', '.bin', 'buf'), ['generate'], {
  cwd: root,
  stdio: 'inherit',
});
if (error) process.stderr.write(`generate: ${error.message}\n`);
process.exitCode = status ?? 1;
