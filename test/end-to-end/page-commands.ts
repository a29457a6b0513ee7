import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { runCommand } from '../../src/sandbox/run-command.ts';
import { partPath } from '../parts/catalogue.ts';
import { projectRoot } from '../parts/locations.ts';
import type { Scope } from '../parts/scope.ts';

/** The commands of a page of docs/, by the heading that they stand under. The first block is set up before each other. */
export function readPage(name: string) {
  const text = readFileSync(join(projectRoot, 'docs', name), 'utf8');
  let heading = '';
  const [first, ...blocks] = Array.from(text.matchAll(/^## (.*)$|^```sh\n([\s\S]*?)^```$/gm)).flatMap(
    ([, title, script]) => {
      if (title !== undefined) heading = title;
      return script === undefined ? [] : [{ heading, script }];
    },
  );
  const setUp = first?.script ?? '';

  return {
    setUp,
    headings: [...new Set(blocks.map((block) => block.heading))],
    blocksUnder: (title: string) => blocks.filter((block) => block.heading === title),
    /**
     * As a person runs it who follows the page: one folder for all of it, with kubectl and nothing else.
     *
     * @returns what it prints
     */
    async run(
      script: string,
      options: { readonly scope: Required<Scope>; readonly folder: string; readonly kubeconfig: string },
    ): Promise<string> {
      const folder = join(options.folder, 'operator');
      mkdirSync(folder, { recursive: true });
      const ended = await runCommand('bash', ['-c', `set -euo pipefail\n${setUp}\n${script}`], {
        bound: 100_000,
        signal: options.scope.signal,
        cwd: folder,
        env: {
          PATH: [dirname(partPath('kubectl')), process.env.PATH].join(delimiter),
          HOME: folder,
          KUBECONFIG: options.kubeconfig,
        },
      });
      assert.ok(ended.kind === 'exited' && ended.status === 0, `${script}\n${JSON.stringify(ended)}`);
      return ended.stdout;
    },
  };
}
